"""Defects of verifiers that are told how their drafts were drawn, and of those that are handed a certain draft law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.rules import quotient, residual
from specproof.conformance.defects.several_drafts import Choice, choice_sampler, chosen_law, in_turn, recursive_kernel
from specproof.conformance.problems import Contract, MultiProblem, Tokens
from specproof.conformance.problems.drafting import Drafting, law_of_next
from specproof.theory.distribution import Array

ToldLaw = Callable[[Drafting, Array, Tokens, int], Array]
"""The law that the draft after some others is tested with, as :func:`law_of_next` gives it."""


@dataclass(frozen=True)
class DrawnRule:
    """Recursive rejection that tests each draft with the law that it is said to be drawn from."""

    told: ToldLaw = law_of_next

    def kernel(self, draft: Array, target: Array, drafts: Tokens, *, drawn: Drafting) -> Choice:
        """Multiply the probabilities."""
        left, tests = target, np.zeros(drafts.shape)
        for place, column in enumerate(drafts.T):
            law = self.told(drawn, draft, drafts[:, :place], drafts.shape[1])
            tests[:, place] = quotient(law, left, column)
            left = residual(law, left, column)
        return Choice(in_turn(tests), left)

    def sampler(
        self, draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator, drawn: str
    ) -> tuple[Tokens, Tokens]:
        """Verify n sets of drafts."""
        kernel = partial(self.kernel, drawn=Drafting(drawn))
        return choice_sampler(kernel)(draft_probs, target_probs, draft_tokens, rng)

    def law(self, problem: MultiProblem) -> Array:
        """Give the emitted law, shape (2, V)."""
        return chosen_law(problem, partial(self.kernel, drawn=problem.drafting))


def _as_independent(drawn: Drafting, draft: Array, before: Tokens, num_drafts: int) -> Array:
    """Test distinct drafts as if each had been drawn from the whole draft law."""
    return draft if drawn is Drafting.DISTINCT else law_of_next(drawn, draft, before, num_drafts)


def _certain_by_ratio(drawn: Drafting, draft: Array, before: Tokens, num_drafts: int) -> Array:
    """Test certain drafts by the draft law that they are the likeliest tokens of."""
    return draft if drawn is Drafting.CERTAIN else law_of_next(drawn, draft, before, num_drafts)


def _last_by_whole_law(drawn: Drafting, draft: Array, before: Tokens, num_drafts: int) -> Array:
    """Test the drawn draft that follows the likeliest tokens by the draft law with these tokens in it."""
    is_last = drawn is Drafting.TOP and before.shape[1] == num_drafts - 1
    return draft if is_last else law_of_next(drawn, draft, before, num_drafts)


def certain_from_target(draft: Array, target: Array, drafts: Tokens) -> Choice:
    """Recursive rejection, but for certain draft laws, whose rejected drafts are replaced from the target."""
    choice = recursive_kernel(draft, target, drafts)
    certain = (draft.max(axis=1) == 1.0)[:, np.newaxis]
    accept = np.zeros(drafts.shape)
    accept[:, 0] = quotient(draft, target, drafts[:, 0])
    return Choice(np.where(certain, accept, choice.accept), np.where(certain, target, choice.replacement))


def _of_rule(name: str, title: str, told: ToldLaw, needs: str, witness: str, *threads: str) -> Defect:
    rule = DrawnRule(told)
    return Defect(name, title, Contract.MULTI, rule.sampler, rule.law, needs, witness, threads)


DRAWN_DEFECTS: tuple[Defect, ...] = (
    _of_rule(
        "distinct-drafts-as-independent",
        "drafts that were drawn without replacement are tested as if each came from the whole draft law",
        _as_independent,
        "distinct drafts",
        "three tokens, k = 2, distinct",
        "SafeAILab/EAGLE#20",
    ),
    _of_rule(
        "certain-drafts-by-ratio",
        "the likeliest tokens are tested by min(1, q/p), as if they had been drawn",
        _certain_by_ratio,
        "certain drafts whose draft law is spread",
        "three tokens, k = 2, certain",
        "NVIDIA/TensorRT-LLM#12588",
    ),
    _of_rule(
        "last-draft-by-whole-law",
        "the draft beside the k - 1 likeliest tokens is tested by the draft law with these in it",
        _last_by_whole_law,
        "k - 1 likeliest tokens and one that is drawn",
        "three tokens, k = 2, top",
    ),
    Defect(
        "certain-draft-replaced-from-target",
        "where the draft law is certain, a rejected draft is replaced from q instead of the residual",
        Contract.MULTI,
        choice_sampler(certain_from_target),
        partial(chosen_law, kernel=certain_from_target),
        "a draft law of one token, a target of several",
        "a certain draft law, k = 2",
        ("vllm-project/vllm-ascend#2881",),
    ),
)

RECURSIVE_ON_DRAWN = Defect(
    "recursive-rejection-however-drawn",
    "each draft by the law that it was drawn from, against what those before it left of the target",
    Contract.MULTI,
    DrawnRule().sampler,
    DrawnRule().law,
    "",
    "",
)
"""The right rule, for every way of drawing."""
