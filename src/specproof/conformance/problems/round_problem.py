"""The contract ``round``: a sampler that drafts and verifies once, with filters, stopping and noise of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from specproof.conformance.contract import Contract
from specproof.conformance.problems.answers import Emission, Sample, as_ids
from specproof.conformance.problems.description import describe_model
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.emitted_rows import EmittedRows, refuse_gaps
from specproof.conformance.problems.example_models import (
    P2_ROWS,
    P3,
    P3_ROWS,
    Q2_ROWS,
    Q3,
    Q3_ROWS,
    histories,
    independent,
    markov,
    near_each_other,
)
from specproof.conformance.problems.next_token import check_models
from specproof.conformance.subject.failures import InvalidOutput, one_line
from specproof.conformance.subject.sampler_under_test import to_numpy
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import natural_number

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn


class RoundRequest(NamedTuple):
    """What a round is handed beside its generator."""

    draft_model: TabularModel
    target_model: TabularModel
    prefix: Tokens
    """The tokens before the round, shape (n, m)."""
    length: int

    @property
    def trials(self) -> int:
        """The number of trials, n."""
        return len(self.prefix)


@dataclass(frozen=True, eq=False, repr=False)
class RoundProblem(EmittedRows):
    """One round after prefixes that the target has drawn: the contract ``round``.

    The joint law of a prefix and what follows it, completed by the target, is the target's.

    Parameters
    ----------
    draft, target : TabularModel over horizon m+L+1
    prefix : int
        m, the number of tokens before the round; the others are at most L drafts and a token more.

    Raises
    ------
    InvalidInput
        If a model is no table, the vocabularies or the horizons differ, or no draft fits after the prefix.

    Examples
    --------
    >>> model = TabularModel([[0.5, 0.5], [[0.25, 0.75], [1.0, 0.0]]])
    >>> RoundProblem(model, model, prefix=0).length
    1
    """

    contract: ClassVar = Contract.ROUND
    size_name: ClassVar = "L"
    in_small_batches: ClassVar = {"two tokens": 1, "three tokens": 1}
    draft: TabularModel
    target: TabularModel
    prefix: int

    def __post_init__(self) -> None:
        check_models(self.draft, self.target)
        natural_number(self.prefix, "prefix")
        if self.draft.horizon != self.target.horizon:
            raise InvalidInput(f"draft has horizon {self.draft.horizon} and target {self.target.horizon}: give one")
        if self.length < 1:
            raise InvalidInput(f"prefix is {self.prefix}: models of horizon {self.target.horizon} leave no draft")

    @property
    def given(self) -> int:
        """The prefix is no answer."""
        return self.prefix

    @property
    def length(self) -> int:
        """L, the most drafts of a round."""
        return self.longest - 1

    def with_models(self, draft: TabularModel, target: TabularModel) -> RoundProblem:
        """Put other models in the place of both."""
        return RoundProblem(draft, target, self.prefix)

    def shorter(self) -> Iterator[RoundProblem]:
        """Leave the last position out, or the prefix."""
        if self.length > 1:
            draft, target = (TabularModel(model.conditionals[:-1]) for model in self.models)
            yield RoundProblem(draft, target, self.prefix)
        if self.prefix:
            draft, target = (TabularModel([table[0] for table in model.conditionals[1:]]) for model in self.models)
            yield RoundProblem(draft, target, self.prefix - 1)

    @property
    def shape(self) -> tuple[int, ...]:
        """(L, V)."""
        return self.length, self.num_tokens

    @cached_property
    def draft_law(self) -> Array:
        """The law of a sampler that accepts every draft."""
        first, last = self.target.conditionals[: self.prefix], self.target.conditionals[-1:]
        return TabularModel([*first, *self.draft.conditionals[self.prefix : -1], *last]).joint()

    def arguments(self, trials: int, rng: np.random.Generator) -> RoundRequest:
        """Draw n prefixes from the target."""
        numbers = rng.choice(self.target_law.size, size=trials, p=self.target_law.reshape(-1))
        texts = np.stack(np.unravel_index(numbers, self.target_law.shape), axis=1)
        return RoundRequest(self.draft, self.target, texts[:, : self.prefix].astype(np.int64), self.length)

    def chance_of_drafts(self, arguments: RoundRequest) -> Array:
        """Give hardly any, as nothing is known of the drafts."""
        return np.full(arguments.trials, 1e-9)

    def parse(self, result: Any, arguments: RoundRequest) -> Emission:
        """Take rows (n, 1) to (n, L+1), -1 after the last token, behind their prefixes."""
        try:
            width = to_numpy(result).shape[1]
        except Exception as error:
            raise InvalidOutput(f"emitted is no array of shape (n, up to {self.longest}) ({one_line(error)})") from None
        columns = min(max(width, 1), self.longest)
        tokens = as_ids(result, "emitted", (arguments.trials, columns), -1, self.num_tokens)
        refuse_gaps(tokens)
        padded = np.pad(tokens, ((0, 0), (0, self.longest - columns)), constant_values=-1)
        rows = np.concatenate([arguments.prefix, padded], axis=1)
        return Emission(rows, np.zeros(arguments.trials, dtype=np.int64))

    def take_apart(self, emission: Emission, rng: np.random.Generator) -> Sample:
        """Number the outcomes of each trial; the first token is that of the prefix, if there is one."""
        return super().take_apart(emission, rng)._replace(first=emission.tokens[:, 0])

    def describe(self) -> str:
        """Describe both models in lines of simple fractions, and the prefix."""
        models = f"draft\n{describe_model(self.draft)}\ntarget\n{describe_model(self.target)}"
        return f"{models}\nprefix of {self.prefix}, length {self.length}"

    @classmethod
    def degenerate(cls, draft: Array, target: Array) -> RoundProblem:
        """Two drafts of a degenerate law without memory."""
        return RoundProblem(independent([draft] * 3), independent([target] * 3), 0)

    @classmethod
    def drawn(cls, draw: DrawFn) -> RoundProblem:
        """Draw a prefix of 0 or 1 tokens, and 1 or 2 drafts over 2 or 3 tokens."""
        from hypothesis.strategies import integers

        from specproof.conformance.strategies.models import tabular_models

        size, prefix = draw(integers(2, 3)), draw(integers(0, 1))
        horizon = prefix + draw(integers(1, 2)) + 1
        return RoundProblem(draw(tabular_models(size, horizon)), draw(tabular_models(size, horizon)), prefix)

    @classmethod
    def examples(cls) -> dict[str, RoundProblem]:
        """Make the problems whose laws are tested, by name, the smallest first; no token of them is impossible."""
        two, three = (P2_ROWS[0], P2_ROWS, Q2_ROWS[0], Q2_ROWS), (P3, P3_ROWS, Q3, Q3_ROWS)
        return {
            "one draft": RoundProblem(independent([(0.7, 0.3)] * 2), independent([(0.5, 0.5)] * 2), 0),
            "two tokens": RoundProblem(*markov(*two, horizon=4), prefix=1),
            "three tokens": RoundProblem(*markov(*three, horizon=4), prefix=1),
            "a token hardly drafted": RoundProblem(
                independent([(0.6, 0.36, 0.04)] * 2), independent([(0.05, 0.6, 0.35)] * 2), 0
            ),
            "five tokens": RoundProblem(independent([_FIVE] * 2), independent([_FIVE[::-1]] * 2), 0),
            "thirty-two tokens, draft near the target": RoundProblem(*near_each_other(), 0),
            "whole history": RoundProblem(*histories(2, 6), prefix=2),
        }


_FIVE = (0.35, 0.3, 0.2, 0.1, 0.05)
