"""The contract ``chain``: drafted tokens in a row and a bonus position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.contract import Contract
from specproof.conformance.problems.answers import Emission, as_ids, number_rows, refuse_rows
from specproof.conformance.problems.description import describe_law, describe_model
from specproof.conformance.problems.drawing import Tokens, are_well_formed, draw_path
from specproof.conformance.problems.emitted_rows import EmittedRows, refuse_gaps
from specproof.conformance.problems.example_models import independent
from specproof.conformance.problems.next_token import check_models
from specproof.conformance.problems.padding import overlooks_padding, pad
from specproof.conformance.problems.problem import Inputs, VerifierProblem
from specproof.conformance.subject.sampler_under_test import Subject
from specproof.simulations.samplers.inversion import invert
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array, as_distribution
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn


@dataclass(frozen=True, eq=False, repr=False)
class ChainProblem(EmittedRows, VerifierProblem):
    """L drafted tokens and a bonus position: the contract ``chain``.

    A row is completed to L+1 tokens by draws from the target's conditionals, as a decoding loop would go on.

    Parameters
    ----------
    draft : TabularModel over horizon L
        The law that the drafts are drawn from.
    target : TabularModel over horizon L+1
        The law to be preserved.
    lengths : array_like, shape (L+1,), optional
        The law of the number of drafts of a row, in a ragged batch: what is missing is padded, tokens by -1. By
        default every row has L drafts.
    declared : bool
        Whether the sampler is told the draft law. Without it, drafts are certain: those of n-grams or an argmax.

    Raises
    ------
    InvalidInput
        If a model is no table, the vocabularies differ, the target's horizon is not the draft's plus one, the lengths
        are no distribution over 0..L, or a draft that is not declared is not certain.

    Examples
    --------
    >>> draft = TabularModel([[0.5, 0.5]])
    >>> target = TabularModel([[0.25, 0.75], [[0.5, 0.5], [0.5, 0.5]]])
    >>> ChainProblem(draft, target).acceptance_bounds
    array([0.75])
    """

    contract: ClassVar = Contract.CHAIN
    size_name: ClassVar = "L"
    acceptance_title: ClassVar = "the first token is the first draft"
    overlooking: ClassVar = "it takes padding for tokens"
    in_small_batches: ClassVar = {
        "three tokens": 1,
        "two drafts, three tokens": 1,
        "ragged, two drafts": 2,
        "no draft law": 4,
    }
    draft: TabularModel
    target: TabularModel
    lengths: Array | None = None
    declared: bool = True

    def __post_init__(self) -> None:
        check_models(self.draft, self.target)
        if self.target.horizon != self.draft.horizon + 1:
            raise InvalidInput(
                f"target has horizon {self.target.horizon} and draft {self.draft.horizon}: "
                "the target needs one position more, for the bonus token"
            )
        if self.lengths is not None:
            object.__setattr__(self, "lengths", as_distribution(self.lengths, "lengths"))
            if self.lengths.shape != (self.length + 1,):
                raise InvalidInput(f"lengths has shape {self.lengths.shape}: it must be a law of 0..{self.length}")
        if not self.declared and any(np.any((table > 0) & (table < 1)) for table in self.draft.conditionals):
            raise InvalidInput("draft is not certain: a draft that is not declared must have one possible token")

    def with_models(self, draft: TabularModel, target: TabularModel) -> ChainProblem:
        """Put other models in the place of both."""
        return ChainProblem(draft, target, self.lengths, self.declared)

    def shorter(self) -> Iterator[ChainProblem]:
        """Give every row all drafts, declare their law, or leave the last position out."""
        if self.lengths is not None:
            yield ChainProblem(*self.models, declared=self.declared)
        if not self.declared:
            yield ChainProblem(*self.models, self.lengths)
        if self.length > 1:
            yield self.cut(self.length - 1)

    def cut(self, length: int) -> ChainProblem:
        """Leave all drafts but the first so many out: rows that had more have so many."""
        draft, target = (TabularModel(model.conditionals[: length + extra]) for extra, model in enumerate(self.models))
        lengths = self.lengths
        if lengths is not None:
            lengths = np.append(lengths[:length], lengths[length:].sum())
        return ChainProblem(draft, target, lengths, self.declared)

    @property
    def shares(self) -> Array:
        """The law of the number of drafts of a row, shape (L+1,)."""
        return np.eye(self.length + 1)[-1] if self.lengths is None else self.lengths

    @property
    def unusual(self) -> str:
        """What a sampler may not know of: ragged batches, and drafts without a law."""
        ragged = "ragged batches" if self.lengths is not None else ""
        undeclared = "" if self.declared else "drafts without a law"
        return " of ".join(filter(None, (ragged, undeclared)))

    def overlooked(self, subject: Subject, rng: np.random.Generator) -> bool:
        """Whether padding is taken for tokens: the answer is the same where the last token stands in its place."""
        return overlooks_padding(self, subject, rng)

    @property
    def length(self) -> int:
        """L, the number of drafted tokens."""
        return self.draft.horizon

    @property
    def shape(self) -> tuple[int, ...]:
        """(L, V, 1 if the draft law is declared): problems of one shape fit into one batch."""
        return self.length, self.num_tokens, int(self.declared)

    @cached_property
    def draft_law(self) -> Array:
        """The completed law of a sampler that accepts every draft: a direction in which defects lie."""
        law = np.zeros((self.num_tokens,) * (self.length + 1))
        for length, share in enumerate(self.shares):
            tables = (*self.draft.conditionals[:length], *self.target.conditionals[length:])
            law += share * TabularModel(tables).joint()
        return law

    @cached_property
    def draft_chances(self) -> Array:
        """The law of a row of drafts, numbered in base V+1: 0 stands for a draft that the row does not have."""
        chances = np.zeros((self.num_tokens + 1,) * self.length)
        for length, share in enumerate(self.shares):
            some = TabularModel(self.draft.conditionals[:length]).joint() if length else np.ones(())
            chances[(slice(1, None),) * length + (0,) * (self.length - length)] += share * some
        return chances.reshape(-1)

    def number_drafts(self, arguments: Inputs) -> Tokens:
        """Number the drafts of each trial, shape (n,)."""
        return number_rows(arguments.draft_tokens + 1, self.num_tokens + 1)

    @cached_property
    def acceptance_bounds(self) -> Array:
        r"""The most a lossless sampler can accept, shape (L,): :math:`\sum_{x^i} \min(p(x^i), q(x^i))`, i = 1..L.

        Entry i-1 bounds the probability that the first i emitted tokens are the first i drafts: these are coupled
        variables of laws p and q, which agree with probability at most 1 - TV. For i = 1 it is reached. In a ragged
        batch it is multiplied by the probability that there are i drafts.
        """
        bounds = []
        for index in range(1, self.length + 1):
            prefixes = [TabularModel(model.conditionals[:index]).joint() for model in self.models]
            bounds.append(np.minimum(*prefixes).sum() * self.shares[index:].sum())
        limited: Array = np.minimum(bounds, 1.0)
        return limited

    @cached_property
    def plain_acceptances(self) -> Array:
        r"""The probability that the plain rule emits the first i drafts, shape (L,).

        It is :math:`\sum_{x^i} \prod_{j \le i} \min(p(x_j | x^{j-1}), q(x_j | x^{j-1}))`, times the probability that
        there are i drafts.
        """
        kept, mass = [], np.ones(())
        for index, (draft, target) in enumerate(zip(self.draft.conditionals, self.target.conditionals, strict=False)):
            mass = mass[..., np.newaxis] * np.minimum(draft, target)
            kept.append(mass.sum() * self.shares[index + 1 :].sum())
        return np.array(kept)

    def acceptances(self, accepted: Tokens) -> list[NDArray[np.bool_]]:
        """Say for each i in which trials the first i emitted tokens are the first i drafts."""
        return [accepted > index for index in range(self.length)]

    def acceptance_event(self, index: int) -> str:
        """Name the event that entry ``index`` of :attr:`acceptance_bounds` bounds."""
        return f"the first {index + 1} drafts were emitted" if index else "the first draft was emitted"

    def empty_inputs(self, trials: int) -> Inputs:
        """Make room for n trials."""
        shape, size = (trials, self.length), self.num_tokens
        draft = np.empty((*shape, size)) if self.declared else None
        return Inputs(draft, np.empty((trials, self.length + 1, size)), np.empty(shape, np.int64))

    def fill(self, inputs: Inputs, places: Tokens, rng: np.random.Generator) -> None:
        """Draw trials into some rows of a batch, which may be one of several problems."""
        draft = inputs.draft_probs
        if draft is None:
            draft = np.empty((inputs.trials, self.length, self.num_tokens))
        draw_path(self._draft_tables, self._target_tables, places, draft, *inputs[1:], rng)
        if self.lengths is not None:
            drawn = invert(self.lengths, rng.random(len(places)))
            for length in range(self.length):
                pad(inputs, places[drawn <= length], length)

    def parse(self, result: Any, arguments: Inputs) -> Emission:
        """Take emitted rows (n, L+1): drafts, one more token, and -1 to the end."""
        drafts = arguments.draft_tokens
        tokens = as_ids(result, "emitted", (arguments.trials, self.length + 1), -1, self.num_tokens)
        if not are_well_formed(tokens, drafts):
            _refuse_malformed(tokens, drafts)
        same = (tokens[:, :-1] == drafts) & (drafts >= 0)
        return Emission(tokens, np.where(same.all(axis=1), self.length, np.argmin(same, axis=1)))

    def describe(self) -> str:
        """Describe both models in lines of simple fractions, and what is unusual about the batch."""
        lines = [f"draft\n{describe_model(self.draft)}\ntarget\n{describe_model(self.target)}"]
        if self.lengths is not None:
            lines.append(f"drafts of a row: 0..{self.length} with probability {describe_law(self.lengths)}")
        if not self.declared:
            lines.append("draft_probs is None")
        return "\n".join(lines)

    @classmethod
    def degenerate(cls, draft: Array, target: Array) -> ChainProblem:
        """Two drafts without memory of one degenerate law."""
        return ChainProblem(independent([draft, draft]), independent([target, target, target]))

    @classmethod
    def drawn(cls, draw: DrawFn) -> ChainProblem:
        """Draw 1 to 3 drafted tokens over 2 to 4 tokens in the vocabulary."""
        from hypothesis.strategies import integers

        from specproof.conformance.strategies.models import tabular_models

        length, size = draw(integers(1, 3)), draw(integers(2, 4))
        return ChainProblem(draw(tabular_models(size, length)), draw(tabular_models(size, length + 1)))

    @classmethod
    def examples(cls) -> dict[str, ChainProblem]:
        """Make the problems whose laws are tested, by name, the smallest first; no token of them is impossible."""
        from specproof.conformance.problems.chain_examples import chain_examples

        return chain_examples()

    @classmethod
    def degenerates(cls) -> dict[str, ChainProblem]:
        """Make the degenerate problems: every pair, and some of them in ragged batches and without a draft law."""
        from specproof.conformance.problems.chain_examples import unusual_degenerates

        return {**super().degenerates(), **unusual_degenerates()}


def _refuse_malformed(tokens: Tokens, drafts: Tokens) -> None:
    refuse_gaps(tokens)
    replaced = ((tokens[:, :-1] != drafts) & (tokens[:, 1:] >= 0)).any(axis=1)
    refuse_rows(
        replaced,
        tokens,
        f"goes on after a token that is not the draft's, {drafts[int(np.argmax(replaced))].tolist()}",
        "the rows that follow are conditioned on the draft, so the replaced token is the last",
    )
