"""One round of a decode as the rule that selects its tokens sees it: the seam between the loop and the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from specproof.simulations.language_models.next_token_model import NextTokenModel
from specproof.simulations.language_models.prefixes import Distributions, Prefixes
from specproof.simulations.language_models.texts import Texts
from specproof.simulations.language_models.uniforms import Uniforms
from specproof.simulations.samplers.selection import Selection


class LevelTest(NamedTuple):
    """Drafted tokens of n texts put to the test at one level, tensors in the loop and NumPy arrays in records."""

    level: int
    """How deep in the draft sequences the tokens stand, from 0."""
    draft: Any
    """The distributions that the tokens were drawn from, given the text before them, shape (n, V)."""
    target: Any
    """The target's distributions there, shape (n, V)."""
    drafts: Any
    """The next token of each draft sequence, shape (n, K)."""
    alive: Any
    """Which of the K sequences agree with all that was emitted in the round, shape (n, K): only those are tested."""
    selection: Selection
    """The emitted tokens and the accepted sequences, or -1, shape (n,) each."""
    text: Any
    """The numbers of the texts, shape (n,)."""


class Selected(NamedTuple):
    """What a rule made of a round, for each of its R texts."""

    sequence: Tensor
    """A draft sequence that begins with the accepted tokens, shape (R,): the caches go on with its row."""
    accepted: Tensor
    """How many of its tokens were accepted, shape (R,)."""


class Observer(Protocol):
    """Is told what a decode emits as it goes."""

    def emitted(self, texts: Tensor, tokens: Tensor, test: LevelTest | None) -> None:
        """Note that a token of each of these texts is emitted, before it is appended; a bonus token has no test."""

    def completed(self, texts: Tensor, selected: Selected, emitted: Tensor, length: int) -> None:
        """Note that a round of these texts is over, which drafted ``length`` tokens and emitted so many of each."""


class RoundRule(Protocol):
    """A rule for whole rounds: how many sequences are drafted, and what is emitted in view of them.

    A rule that selects tokens in another way (a whole block at once, a tree) is another implementation of this.
    """

    @property
    def bonus(self) -> bool:
        """Whether the rule looks at the target's distributions after the last drafted tokens."""

    def num_sequences(self, restart: Tensor) -> Tensor:
        """Say how many sequences to draft for each text, int64, shape (R,).

        ``restart`` is true where the last emitted token was not a drafted one, and in the first round.
        """

    def select(self, offered: Round, uniforms: Uniforms) -> Selected:
        """Emit tokens of every text by :meth:`Round.emit`, at least one, and say with which sequence it goes on."""


@dataclass(frozen=True)
class Round:
    """K draft sequences of L tokens for each of R texts, and both models' distributions along them.

    The texts of a round are its *members*, numbered from 0 to R - 1; every argument ``members`` is an ascending int64
    tensor of shape (n,). Distributions are made when they are asked for: a large vocabulary has no room for all.
    """

    text: Tensor
    """The number of each member among all texts of the decode, shape (R,)."""
    tokens: Tensor
    """The drafted tokens, shape (R, K, L)."""
    drawn: Tensor
    """Which of the K sequences were drafted, the first ones, shape (R, K); those that were not repeat another."""
    drafted: Sequence[Tensor]
    """The draft's distributions at each level, at level 0 one row for each member, then one for each cache row."""
    logits: Tensor
    """The target's logits before each drafted token and, if the rule wants them, after the last, by cache row."""
    row: Tensor
    """The cache row of each sequence, shape (R, K)."""
    lengths: Tensor
    """Tokens of each member's text before the round, shape (R,)."""
    model: NextTokenModel
    """The target."""
    distributions: Distributions
    """Where the distributions come from."""
    texts: Texts
    """Where emitted tokens go."""
    observer: Observer
    """Who is told of them."""

    def draft(self, members: Tensor, sequence: Tensor, level: int) -> Tensor:
        """Give the distributions that token ``level`` of a sequence of each member was drawn from, shape (n, V)."""
        return self.drafted[level][members if level == 0 else self.row[members, sequence]]

    def target(self, members: Tensor, sequence: Tensor, level: int) -> Tensor:
        """Give the target's distributions after the first ``level`` tokens of these sequences, shape (n, V)."""
        prefixes = Prefixes(self.text[members], self.lengths[members], self.tokens[members, sequence, :level])
        return self.distributions(self.model, self.logits[self.row[members, sequence], level], prefixes)

    def emit(self, members: Tensor, tokens: Tensor, test: LevelTest | None = None) -> Tensor:
        """Append a token to the texts of these members; return which of them have not ended, shape (n,)."""
        texts = self.text[members]
        self.observer.emitted(texts, tokens, test)
        self.texts.append(texts, tokens)
        return self.texts.going[texts]
