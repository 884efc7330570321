"""What batches have to do with an alarm: the data themselves must refute that they have nothing to do with it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second
from numpy.typing import NDArray

from specproof.conformance.evidence.dependence import are_dependent
from specproof.conformance.evidence.sampling import LARGEST_CALL, joined, sample_call, sample_singly
from specproof.conformance.evidence.small_batches import Sizes, sample_small, size_of
from specproof.conformance.explanation.case import Case
from specproof.conformance.problems.answers import Sample
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.subject.sampler_under_test import BATCH

SINGLES, FEWEST_SINGLES = 1000, 64
"""Batches of many are held against so many batches of one; no fewer than the latter however little time is left."""
MOST_SMALL, SIZES = 4000, 8
"""Small batches are looked at again in so many trials, and of so many sizes at most: the law may be another at each."""
CALLS, FEWEST_CALLS = 32, 8
"""So many calls of one problem are held against each other, and as many of different problems; of a slow function fewer
of the latter, which have more trials."""
CONTRAST = 1e-6
"""The nominal chance that a sampler whose trials are independent, and of one law in any batch, is said to fail by its
batches.

Shared evenly by ``TESTS``: batches of different problems against those of one, call by call; trials of either against
each other; and batches against single trials. Batches are compared by how often they have the outcomes that came too
often when the alarm was given. What is compared is drawn afresh, so that choice is free. Nominal, for the tests of
independence and Welch's are approximate; the verdict stands before any of them.
"""
TESTS = 4


class Cause(StrEnum):
    """What batches have to do with an alarm."""

    MIXED_UP = "mixed up"
    DEPENDENT = "dependent"
    DEPENDENT_IF_MIXED = "dependent if mixed"
    ANOTHER_LAW = "another law"

    @property
    def sentence(self) -> str:
        """The cause as a report says it, after the name of the problem."""
        return _SENTENCES[self]

    @property
    def is_mixed(self) -> bool:
        """Whether it shows in batches of different problems."""
        return self in (Cause.MIXED_UP, Cause.DEPENDENT_IF_MIXED)

    @property
    def forbids_counts(self) -> bool:
        """Whether trials of a batch cannot be counted as independent ones of one law."""
        return self is not Cause.ANOTHER_LAW


_SENTENCES = {
    Cause.MIXED_UP: "the law in batches of different problems is another than alone, as where rows are mixed up or "
    "what one row asks for is done to all",
    Cause.DEPENDENT: (
        "the trials of a batch depend on each other, or their laws on their places or on the call, which leaves open "
        "what each law is"
    ),
    Cause.DEPENDENT_IF_MIXED: (
        "trials of batches of different problems depend on each other, or their laws on the call, and those of one "
        "problem were not seen to, as where rows are mixed up or share their uniforms; what the law of each is that "
        "leaves open"
    ),
    Cause.ANOTHER_LAW: "the law in batches is another than one trial at a time",
}


def cause_in_batches(case: Case) -> Cause | None:
    """Say what batches have to do with an alarm in large batches, None if that can be nothing."""
    law, mixed = case.watch.law.law, case.watch.mixed
    counts = case.watch.law.counts - mixed
    often, often_mixed = (drawn > drawn.sum() * law for drawn in (counts, mixed))
    size = 1 << (min(max(case.affordable(0.1) // CALLS, BATCH), LARGEST_CALL // 8).bit_length() - 1)
    of_one = [sample_call(case.subject, case.watch.problem, size, case.rng) for _ in range(CALLS)]
    of_many = _mixed_calls(case, size) if len(case.mates) > 1 else []
    if of_many and _is_mixed_up(case, often_mixed, of_one, of_many):
        return Cause.MIXED_UP
    if _are_dependent(case, of_one):
        return Cause.DEPENDENT
    if of_many and _are_dependent(case, of_many):
        return Cause.DEPENDENT_IF_MIXED
    return Cause.ANOTHER_LAW if _is_another(case, often, joined(of_one).completed) else None


def _mixed_calls(case: Case, size: int) -> list[Sample]:
    """Draw calls of different problems, with so many trials of each, and keep those of the problem of the alarm."""
    seen: list[Sample] = []
    stop = time.monotonic() + case.seconds(0.3)
    while len(seen) < FEWEST_CALLS or (len(seen) < CALLS and time.monotonic() < stop):
        seen.append(case.mixed(size))
    return seen


def cause_in_small_batches(case: Case, kind: Sizes, counts: Tokens) -> tuple[Cause | None, list[Sample]]:
    """Say what batches have to do with an alarm of small batches of one kind, and give the calls that were drawn."""
    sizes = {size_of(kind, case.subject, case.rng) for _ in range(SIZES)}
    alone, mixed = ([_small_calls(case, size, len(sizes), mixed=mixed) for size in sizes] for mixed in (False, True))
    of_all = [list(itertools.chain(*of_each)) for of_each in (alone, mixed)]
    cause = None
    if _is_mixed_up(case, counts > counts.sum() * case.watch.law.law, *of_all):
        cause = Cause.MIXED_UP
    elif any(_are_dependent(case, of_one) for of_one in alone):
        cause = Cause.DEPENDENT
    elif any(_are_dependent(case, of_one) for of_one in mixed):
        cause = Cause.DEPENDENT_IF_MIXED
    return cause, list(itertools.chain(*of_all))


def _small_calls(case: Case, size: int, sizes: int, *, mixed: bool) -> list[Sample]:
    """Draw some thousand trials, shared by all sizes, and some calls, or what there is time for; two calls at least."""
    seen: list[Sample] = []
    stop, enough = time.monotonic() + case.seconds(0.4) / sizes, max(MOST_SMALL / sizes, FEWEST_CALLS * size)
    while len(seen) < 2 or (len(seen) * size < enough and time.monotonic() < stop):
        seen.append(sample_small(case.subject, case.watch.problem, size, case.rng, mixed=mixed))
    return seen


def _are_dependent(case: Case, batches: Sequence[Sample]) -> bool:
    parts = [(each.first, each.completed) for each in batches]
    return are_dependent(parts, case.watch.problem.num_tokens, CONTRAST / TESTS)


def _is_mixed_up(case: Case, chosen: NDArray[np.bool_], of_one: Sequence[Sample], of_many: Sequence[Sample]) -> bool:
    """Whether mixed calls have the chosen outcomes more wrongly than calls of the problem alone (Welch's t-test).

    The calls are independent also where the trials of one are not.
    """
    exact = float(case.watch.law.law[chosen].sum())
    shares = [np.array([chosen[each.completed].mean() for each in kind]) for kind in (of_one, of_many)]
    alone, mixed = (float(share.mean()) for share in shares)
    # By hand: SciPy's warns where the shares do not vary, as with outcomes that always or never come.
    noise = np.sqrt(sum(share.var(ddof=1) / share.size for share in shares))
    surprise = scipy.stats.t.isf(CONTRAST / TESTS / 2, min(share.size for share in shares) - 1)
    return bool(abs(mixed - exact) > abs(alone - exact) and abs(mixed - alone) > surprise * noise)


def _is_another(case: Case, chosen: NDArray[np.bool_], batched: Tokens) -> bool:
    """Whether batches have the chosen outcomes more wrongly than single trials, by Fisher's exact test."""
    few = sample_singly(case.subject, case.watch.problem, FEWEST_SINGLES, np.inf, case.rng).completed
    stop = time.monotonic() + case.seconds(0.2)
    more = sample_singly(case.subject, case.watch.problem, SINGLES, stop, case.rng).completed
    rows = [chosen[np.concatenate([few, more])], chosen[batched]]
    singles, batches = (abs(row.mean() - float(case.watch.law.law[chosen].sum())) for row in rows)
    table = [(int(row.sum()), int((~row).sum())) for row in rows]
    return bool(batches > singles and scipy.stats.fisher_exact(table).pvalue < CONTRAST / TESTS)
