"""The contract ``chain``: drafted tokens in a row and a bonus position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.contract import Contract
from specproof.conformance.problems.answers import Emission, Sample, as_ids, number_rows, refuse_rows
from specproof.conformance.problems.description import describe_model
from specproof.conformance.problems.drawing import Tables, Tokens, are_well_formed, complete_path, draw_path, tables
from specproof.conformance.problems.example_models import (
    CLOSE_ROWS,
    P2_ROWS,
    P3,
    P3_ROWS,
    P4,
    P8,
    Q2_ROWS,
    Q3,
    Q3_ROWS,
    Q4,
    Q8,
    RARE,
    USUAL,
    Models,
    histories,
    independent,
    markov,
)
from specproof.conformance.problems.next_token import check_models
from specproof.conformance.problems.problem import Inputs, VerifierProblem
from specproof.conformance.problems.two_models import TwoModels
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn


@dataclass(frozen=True, eq=False, repr=False)
class ChainProblem(TwoModels, VerifierProblem):
    """L drafted tokens and a bonus position: the contract ``chain``.

    A row is completed to L+1 tokens by draws from the target's conditionals, as a decoding loop would go on.

    Parameters
    ----------
    draft : TabularModel over horizon L
        The law that the drafts are drawn from.
    target : TabularModel over horizon L+1
        The law to be preserved.

    Raises
    ------
    InvalidInput
        If a model is no table, the vocabularies differ or the target's horizon is not the draft's plus one.

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
    in_small_batches: ClassVar = ("three tokens", "two drafts, three tokens")
    draft: TabularModel
    target: TabularModel

    def __post_init__(self) -> None:
        check_models(self.draft, self.target)
        if self.target.horizon != self.draft.horizon + 1:
            raise InvalidInput(
                f"target has horizon {self.target.horizon} and draft {self.draft.horizon}: "
                "the target needs one position more, for the bonus token"
            )

    def with_models(self, draft: TabularModel, target: TabularModel) -> ChainProblem:
        """Put other models in the place of both."""
        return ChainProblem(draft, target)

    def shorter(self) -> Iterator[ChainProblem]:
        """Leave the last position out, if there is more than one draft."""
        if self.length > 1:
            yield ChainProblem(*(TabularModel(model.conditionals[:-1]) for model in self.models))

    @property
    def length(self) -> int:
        """L, the number of drafted tokens."""
        return self.draft.horizon

    @property
    def shape(self) -> tuple[int, ...]:
        """(L, V): problems of one shape fit into one batch."""
        return self.length, self.num_tokens

    @cached_property
    def target_law(self) -> Array:
        """The law of the completed sequence of a lossless sampler: the target's joint law, shape (V,) * (L+1)."""
        return self.target.joint()

    @cached_property
    def draft_law(self) -> Array:
        """The completed law of a sampler that accepts every draft: a direction in which defects lie."""
        law: Array = self.draft.joint()[..., np.newaxis] * self.target.conditionals[-1]
        return law

    @property
    def emitted_shape(self) -> tuple[int, ...]:
        """The shape of the emitted law, (V+1,) * (L+1)."""
        return (self.num_tokens + 1,) * (self.length + 1)

    def completed(self, law: Array) -> Array:
        """Give the completed law of an emitted law: shape (V+1,) * (L+1) in, (V,) * (L+1) out."""
        size = self.num_tokens
        mass = np.zeros(1)
        for position in range(self.length + 1):
            # What ended before this position goes on by the target; what did not is read off the emitted law.
            rows = self.target.conditionals[position].reshape(-1, size)
            ended = law[(slice(1, None),) * (position + 1) + (0,) * (self.length - position)].reshape(-1)
            mass = (mass[:, np.newaxis] * rows).reshape(-1) + ended
        return mass.reshape((size,) * (self.length + 1))

    @cached_property
    def acceptance_bounds(self) -> Array:
        r"""The most a lossless sampler can accept, shape (L,): :math:`\sum_{x^i} \min(p(x^i), q(x^i))`, i = 1..L.

        Entry i-1 bounds the probability that the first i emitted tokens are the first i drafts: these are coupled
        variables of laws p and q, which agree with probability at most 1 - TV. For i = 1 it is reached.
        """
        bounds = []
        for index in range(1, self.length + 1):
            prefixes = [TabularModel(model.conditionals[:index]).joint() for model in self.models]
            bounds.append(np.minimum(*prefixes).sum())
        limited: Array = np.minimum(bounds, 1.0)
        return limited

    def acceptances(self, accepted: Tokens) -> list[NDArray[np.bool_]]:
        """Say for each i in which trials the first i emitted tokens are the first i drafts."""
        return [accepted > index for index in range(self.length)]

    def acceptance_event(self, index: int) -> str:
        """Name the event that entry ``index`` of :attr:`acceptance_bounds` bounds."""
        return f"the first {index + 1} drafts were emitted" if index else "the first draft was emitted"

    def empty_inputs(self, trials: int) -> Inputs:
        """Make room for n trials."""
        shape, size = (trials, self.length), self.num_tokens
        return Inputs(np.empty((*shape, size)), np.empty((trials, self.length + 1, size)), np.empty(shape, np.int64))

    def fill(self, inputs: Inputs, places: Tokens, rng: np.random.Generator) -> None:
        """Draw trials into some rows of a batch, which may be one of several problems."""
        draw_path(self._draft_tables, self._target_tables, places, *inputs, rng)

    def parse(self, result: Any, arguments: Inputs) -> Emission:
        """Take emitted rows (n, L+1): drafts, one more token, and -1 to the end."""
        drafts = arguments.draft_tokens
        tokens = as_ids(result, "emitted", (arguments.trials, self.length + 1), -1, self.num_tokens)
        if not are_well_formed(tokens, drafts):
            _refuse_malformed(tokens, drafts)
        same = tokens[:, :-1] == drafts
        return Emission(tokens, np.where(same.all(axis=1), self.length, np.argmin(same, axis=1)))

    def outcomes(self, emitted: Tokens) -> Tokens:
        """Number each row's place in the flattened emitted law, shape (n,)."""
        return number_rows(emitted + 1, self.num_tokens + 1)

    def complete(self, emitted: Tokens, rng: np.random.Generator) -> Tokens:
        """Draw the tokens that are missing from the target and number each row's place in the flattened completed law.

        Returns
        -------
        array of int, shape (n,)
        """
        numbers = np.empty(emitted.shape[0], dtype=np.int64)
        complete_path(self._target_tables, emitted, numbers, rng)
        return numbers

    def take_apart(self, emission: Emission, rng: np.random.Generator) -> Sample:
        """Number the outcomes of each trial, those of the completed law after drawing what is missing."""
        completed = self.complete(emission.tokens, rng)
        return Sample(completed, self.outcomes(emission.tokens), emission.tokens[:, 0], emission.accepted)

    def describe(self) -> str:
        """Describe both models in lines of simple fractions."""
        return f"draft\n{describe_model(self.draft)}\ntarget\n{describe_model(self.target)}"

    @cached_property
    def _draft_tables(self) -> Tables:
        return tables(self.draft)

    @cached_property
    def _target_tables(self) -> Tables:
        return tables(self.target)

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
        two, three = (P2_ROWS[0], P2_ROWS, Q2_ROWS[0], Q2_ROWS), (P3, P3_ROWS, Q3, Q3_ROWS)
        return {
            "two tokens": _bonus(markov(*two, horizon=2)),
            "two tokens, other laws": _bonus(markov((0.2, 0.8), P2_ROWS, (0.6, 0.4), Q2_ROWS[::-1], horizon=2)),
            "three tokens": _bonus(markov(*three, horizon=2)),
            "a token all but forbidden": _bonus(markov(RARE, [RARE] * 3, USUAL, Q3_ROWS, horizon=2)),
            "two drafts, two tokens": _bonus(markov(*two, horizon=3)),
            "two drafts, no memory": _no_memory([(0.7, 0.3)] * 2, [(0.5, 0.5)] * 3),
            "two drafts, three tokens": _bonus(markov(*three, horizon=3)),
            "two drafts, a mild first": _no_memory([(0.1, 0.1, 0.8)] * 2, [(0.2, 0.4, 0.4)] * 3),
            "draft and target equal": _bonus(markov(Q3, Q3_ROWS, Q3, Q3_ROWS, horizon=3)),
            "three drafts": _bonus(markov(*two, horizon=4)),
            "three drafts, whole history": _bonus(histories(2, 4)),
            "four tokens": _no_memory([P4, P4[::-1]], [Q4, P4, (0.25, 0.25, 0.4, 0.1)]),
            "four tokens, whole history": _bonus(histories(4, 3)),
            "five drafts": _bonus(markov(P2_ROWS[0], CLOSE_ROWS, Q2_ROWS[0], Q2_ROWS, horizon=6)),
            "five drafts, no memory": _no_memory([(0.6, 0.4)] * 5, [(0.4, 0.6)] * 6),
            "eight tokens": _no_memory([P8], [Q8, P8[::-1]]),
            "eight tokens, draft uniform": _no_memory([(0.125,) * 8], [P8, Q8]),
        }


def _bonus(models: Models) -> ChainProblem:
    """Leave the draft's last position out, which is the bonus token's."""
    draft, target = models
    return ChainProblem(TabularModel(draft.conditionals[:-1]), target)


def _no_memory(draft: list[Any], target: list[Any]) -> ChainProblem:
    return ChainProblem(independent(draft), independent(target))


def _refuse_malformed(tokens: Tokens, drafts: Tokens) -> None:
    ended = tokens < 0
    refuse_rows(ended[:, 0], tokens, "emits no token", "emit at least one token in each trial")
    resumed = (ended[:, :-1] & ~ended[:, 1:]).any(axis=1)
    refuse_rows(resumed, tokens, "goes on after -1", "-1 stands after the last emitted token only")
    replaced = ((tokens[:, :-1] != drafts) & ~ended[:, 1:]).any(axis=1)
    refuse_rows(
        replaced,
        tokens,
        f"goes on after a token that is not the draft's, {drafts[int(np.argmax(replaced))].tolist()}",
        "the rows that follow are conditioned on the draft, so the replaced token is the last",
    )
