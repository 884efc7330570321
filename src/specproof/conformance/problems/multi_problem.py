"""The contract ``multi``: several drafts for one position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.conformance.contract import Contract
from specproof.conformance.problems.answers import Emission, Sample, as_ids, number_rows, refuse_rows, shown
from specproof.conformance.problems.description import describe_law
from specproof.conformance.problems.drafting import Drafting, chance_of, draw_drafts, largest_acceptance
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.example_models import NEAR_P16, NEAR_Q16, P3, P8, Q3, Q8, RARE, USUAL, Models
from specproof.conformance.problems.problem import Inputs, VerifierProblem
from specproof.conformance.subject.failures import InvalidOutput
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array, as_pair
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn


@dataclass(frozen=True, eq=False, repr=False)
class MultiProblem(VerifierProblem):
    """k drafts for one position: the contract ``multi``.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    num_drafts : int
        k >= 1.
    drafting : Drafting or str
        How they are drawn: ``"iid"``, ``"distinct"``, ``"certain"`` or ``"top"``. A verifier is told by a parameter
        ``drawn``; one without it is asked for independent drafts alone.

    Raises
    ------
    InvalidInput
        If a law is none, the number of drafts is not an integer >= 1, there is no such way of drawing, or there are
        fewer tokens than drafts that are not independent.

    Examples
    --------
    >>> MultiProblem([0.5, 0.5], [0.25, 0.75], 2).target_law
    array([0.25, 0.75])
    """

    contract: ClassVar = Contract.MULTI
    size_name: ClassVar = "k"
    acceptance_title: ClassVar = "some draft is accepted"
    in_small_batches: ClassVar = {
        "three tokens, k = 2": 1,
        "five tokens, k = 3": 1,
        "three tokens, k = 2, distinct": 4,
        "three tokens, k = 2, certain": 4,
        "three tokens, k = 2, top": 4,
    }
    draft: Array
    target: Array
    num_drafts: int
    drafting: Drafting

    def __init__(
        self, draft: ArrayLike, target: ArrayLike, num_drafts: int, drafting: Drafting | str = Drafting.IID
    ) -> None:
        rows = as_pair(draft, target)
        if rows[0].ndim != 1:
            raise InvalidInput(f"draft has shape {rows[0].shape}: a problem has one distribution of shape (V,)")
        if drafting not in list(Drafting):
            raise InvalidInput(f"drafting is {drafting!r}: it must be one of {', '.join(Drafting)}")
        count = one_num_drafts(num_drafts)
        if drafting != Drafting.IID and count > rows[0].size:
            raise InvalidInput(f"num_drafts is {count}: {rows[0].size} tokens have no more drafts that differ")
        values = (*rows, count, Drafting(drafting))
        for name, value in zip(("draft", "target", "num_drafts", "drafting"), values, strict=True):
            object.__setattr__(self, name, value)

    @property
    def models(self) -> Models:
        """Both laws as models of one position."""
        return TabularModel([self.draft]), TabularModel([self.target])

    @property
    def tables(self) -> tuple[Array, ...]:
        """Both laws."""
        return self.draft, self.target

    def with_models(self, draft: TabularModel, target: TabularModel) -> MultiProblem:
        """Put the laws of other models in the place of both, with as many drafts as these have."""
        most = self.num_drafts if self.drafting is Drafting.IID else draft.num_states
        return MultiProblem(draft.conditionals[0], target.conditionals[0], min(self.num_drafts, most), self.drafting)

    def shorter(self) -> Iterator[MultiProblem]:
        """Leave a draft out, if there is more than one."""
        if self.num_drafts > 1:
            yield MultiProblem(self.draft, self.target, self.num_drafts - 1, self.drafting)

    @property
    def num_tokens(self) -> int:
        """V, the size of the vocabulary."""
        return int(self.draft.size)

    @property
    def shape(self) -> tuple[int, ...]:
        """(k, V, the way of drawing): problems of one shape fit into one batch."""
        return self.num_drafts, self.num_tokens, list(Drafting).index(self.drafting)

    @property
    def size(self) -> tuple[int, int, int]:
        """What shrinking makes smaller: the outcomes, the drafts, and the length of the description."""
        return self.num_tokens, self.num_drafts, len(self.describe())

    @property
    def target_law(self) -> Array:
        """The law of the emitted token of a lossless sampler, shape (V,)."""
        return self.target

    @property
    def draft_law(self) -> Array:
        """The law of a sampler that accepts its first draft whatever it is."""
        return self.draft

    @cached_property
    def draft_chances(self) -> Array:
        """The law of the drafts, numbered in base V, the first draft first."""
        drafts = np.indices((self.num_tokens,) * self.num_drafts).reshape(self.num_drafts, -1).T
        return chance_of(self.drafting, np.broadcast_to(self.draft, (len(drafts), self.num_tokens)), drafts)

    def number_drafts(self, arguments: Inputs) -> Tokens:
        """Number the drafts of each trial, shape (n,)."""
        return number_rows(arguments.draft_tokens, self.num_tokens)

    @property
    def emitted_shape(self) -> tuple[int, ...]:
        """The shape of the emitted law, (2, V)."""
        return 2, self.num_tokens

    def completed(self, law: Array) -> Array:
        """Give the law of the emitted token, whatever came of the drafts: shape (2, V) in, (V,) out."""
        token: Array = law.sum(axis=0)
        return token

    @cached_property
    def acceptance_bounds(self) -> Array:
        """The optimal transport value alpha*, shape (1,): no lossless sampler accepts more often."""
        return np.atleast_1d(largest_acceptance(self.drafting, self.draft, self.target, self.num_drafts))

    def acceptances(self, accepted: Tokens) -> list[NDArray[np.bool_]]:
        """Say in which trials some draft is accepted."""
        return [accepted >= 0]

    def acceptance_event(self, index: int) -> str:
        """Name the event that :attr:`acceptance_bounds` bounds."""
        del index
        return "a draft was accepted"

    def empty_inputs(self, trials: int) -> Inputs:
        """Make room for n trials."""
        rows = (trials, self.num_tokens)
        return Inputs(np.empty(rows), np.empty(rows), np.empty((trials, self.num_drafts), np.int64))

    def fill(self, inputs: Inputs, places: Tokens, rng: np.random.Generator) -> None:
        """Draw trials into some rows of a batch, which may be one of several problems."""
        inputs.draft_probs[places], inputs.target_probs[places] = self.draft, self.target
        inputs.draft_tokens[places] = draw_drafts(self.drafting, self.draft, len(places), self.num_drafts, rng)

    def chance_of_drafts(self, arguments: Inputs) -> Array:
        """Give the probability of the drafts of each trial, shape (n,)."""
        return chance_of(self.drafting, arguments.draft_probs, arguments.draft_tokens)

    @property
    def required(self) -> frozenset[str]:
        """The parameter ``drawn``, unless drafts are independent."""
        return frozenset() if self.drafting is Drafting.IID else frozenset({"drawn"})

    def named(self, arguments: Inputs) -> Mapping[str, Any]:
        """How drafts are drawn."""
        del arguments
        return {"drawn": self.drafting}

    def parse(self, result: Any, arguments: Inputs) -> Emission:
        """Take emitted tokens and the indices of accepted drafts, both (n,)."""
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise InvalidOutput(f"the function returned {shown(result)}: return (emitted, accepted), two arrays (n,)")
        trials = arguments.trials
        tokens = as_ids(result[0], "emitted", (trials,), 0, self.num_tokens)
        accepted = as_ids(result[1], "accepted", (trials,), -1, self.num_drafts)
        drafts = arguments.draft_tokens[np.arange(trials), np.maximum(accepted, 0)]
        wrong = (accepted >= 0) & (drafts != tokens)
        both = np.stack([tokens, drafts], axis=1)
        remedy = "[emitted, draft], -1 if none is accepted"
        refuse_rows(wrong, both, "emits another token than the draft it names", remedy)
        return Emission(tokens[:, np.newaxis], accepted)

    def outcomes(self, emitted: Tokens, accepted: Tokens) -> Tokens:
        """Number each trial's place in the flattened emitted law, shape (n,)."""
        return np.where(accepted >= 0, self.num_tokens, 0) + emitted

    def take_apart(self, emission: Emission, rng: np.random.Generator) -> Sample:
        """Number the outcomes of each trial."""
        del rng
        first = emission.tokens[:, 0]
        return Sample(first, self.outcomes(first, emission.accepted), first, emission.accepted)

    def describe(self) -> str:
        """Describe both laws in simple fractions, the number of drafts, and how these are drawn, if not i.i.d."""
        drawn = "" if self.drafting is Drafting.IID else f", {self.drafting}"
        return f"draft  {describe_law(self.draft)}\ntarget {describe_law(self.target)}\ndrafts {self.num_drafts}{drawn}"

    @classmethod
    def degenerate(cls, draft: Array, target: Array) -> MultiProblem:
        """Two drafts of a degenerate law."""
        return MultiProblem(draft, target, 2)

    @classmethod
    def drawn(cls, draw: DrawFn) -> MultiProblem:
        """Draw 1 to 4 drafts over 1 to 5 tokens in the vocabulary."""
        from hypothesis.strategies import integers

        from specproof.conformance.strategies.laws import pairs

        return MultiProblem(*draw(pairs()), draw(integers(1, 4)))

    @classmethod
    def examples(cls) -> dict[str, MultiProblem]:
        """Make the problems whose laws are tested, by name, the smallest first; no token of them is impossible."""
        uneven, spread = ((0.1, 0.1, 0.8), (0.2, 0.7, 0.1)), ((0.5, 0.3, 0.2), (0.2, 0.3, 0.5))
        three = {"three tokens": (P3, Q3), "uneven": uneven, "a token all but forbidden": (RARE, USUAL)}
        pairs = {**three, "spread": spread}
        five = {
            "five tokens": ((0.35, 0.3, 0.2, 0.1, 0.05), (0.1, 0.15, 0.2, 0.25, 0.3)),
            "five tokens, draft uniform": ((0.2,) * 5, (0.5, 0.2, 0.1, 0.1, 0.1)),
        }
        eight = {"eight tokens": (P8, Q8), "eight tokens, draft uniform": ((0.125,) * 8, P8)}
        many = {name: pairs[name] for name in ("three tokens", "uneven")}
        in_doubt = {
            "each in doubt": ((0.09, 0.07, 0.11, 0.7, 0.03), (0.17, 0.09, 0.26, 0.03, 0.45)),
            "five tokens": five["five tokens"],
        }
        one_hot = {"a certain draft law": ((0.0, 1.0, 0.0), (0.2, 0.3, 0.5))}
        near = {
            "sixteen tokens, draft near the target": (NEAR_P16, NEAR_Q16),
            "sixteen tokens, draft uniform": ((1 / 16,) * 16, NEAR_Q16),
        }
        sets = (
            (1, pairs),
            (2, pairs | one_hot | near),
            (3, five),
            (4, in_doubt),
            (5, five),
            (8, many),
            (3, eight),
        )
        independent = {
            f"{name}, k = {count}": cls(draft, target, count)
            for count, chosen in sets
            for name, (draft, target) in chosen.items()
        }
        others = {
            f"{name}, k = {count}, {drafting}": cls(draft, target, count, drafting)
            for drafting in (Drafting.DISTINCT, Drafting.CERTAIN, Drafting.TOP)
            for count, chosen in ((2, three), (3, five))
            for name, (draft, target) in chosen.items()
        }
        return independent | others
