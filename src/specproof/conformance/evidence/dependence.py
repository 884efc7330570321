"""Whether the trials of one batch depend on each other.

Trials are compared in pairs: next to each other, two apart, half a batch apart, a random part of a batch apart (copies
on several devices), a random power of two apart (blocks of a kernel, streams that come round again), a few apart and at
random; by their first token, and by all of their tokens, folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second
from numpy.typing import NDArray

from specproof.conformance.evidence.e_processes import LawEvidence
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.problem import Problem

MOST_PAIRS = 2**13
"""Of each kind so many pairs of trials of one call are looked at."""
NEAR, PARTS = 16, 8
"""Trials are compared up to so many apart, and in batches of up to so many parts."""
KINDS = 7
"""Of pairs in each call."""
FOLDS = 8
"""Outcomes of a whole trial are told apart modulo this."""
FEWEST_EXPECTED = 50
"""Each cell of a table has so many expected trials, for its statistic to be nearly chi-square also far out; rarer
classes are taken together."""


class PairEvidence:
    """Running evidence that pairs of trials of a batch do not have the product of the target's law with itself.

    Then each has another law or they depend on each other: :func:`are_dependent` tells which. One e-process for each
    kind of pair and each of two views of a trial; their average is an e-process too.
    """

    def __init__(self, problem: Problem) -> None:
        """Start with no trials."""
        law = problem.target_law
        first = law.sum(axis=tuple(range(1, law.ndim)))
        folded = np.bincount(np.arange(law.size) % FOLDS, law.reshape(-1), FOLDS)
        self._evidence = [
            [LawEvidence(np.outer(view, view).reshape(-1)) for view in (first, folded)] for _ in range(KINDS)
        ]
        self._num_tokens = first.size

    def add(self, first: Tokens, completed: Tokens, rng: np.random.Generator) -> None:
        """Count the trials of one call, in its order: their first tokens, and the numbers of their outcomes."""
        views = _views(first, completed, self._num_tokens)
        for evidence, (left, right) in zip(self._evidence, _pairings(len(first), rng), strict=True):
            for own, (view, size) in zip(evidence, views, strict=True):
                own.add(view[left] * size + view[right])

    @property
    def log_value(self) -> float:
        """The logarithm of the average e-process."""
        values = [own.log_value for evidence in self._evidence for own in evidence]
        return float(np.logaddexp.reduce(values) - np.log(len(values)))


def are_dependent(batches: Sequence[tuple[Tokens, Tokens]], num_tokens: int, level: float) -> bool:
    """Whether trials depend on others of their batch, whatever the law of each is.

    Pearson's chi-square tests of independence in pairs, at every distance at which pairs are compared,
    of one law in all calls, which uniforms that a whole call shares make differ, and of neighbours that agree no more
    often than trials of different calls; each at its part of ``level``, which is nominal.

    Parameters
    ----------
    batches : sequence of pairs
        First tokens and numbers of outcomes of the trials of each call, in its order.
    """
    views = [_views(*batch, num_tokens) for batch in batches]
    tables = list(_tables(views))
    share = level / (len(tables) + len(views[0]))
    if any(_independence(table) < share for table in tables):
        return True
    return any(_agreement([outcomes for outcomes, _ in view]) < share for view in zip(*views, strict=True))


def _agreement(calls: Sequence[Tokens]) -> float:
    """The p-value of Fisher's exact test that trials agree with their neighbour no more often than with another call's.

    It tells something of few trials too, of which tables of outcomes would be all but empty. Of four trials
    of each call two are held against each other and two against those of the next call, so that all comparisons are
    independent.
    """
    size = min(map(len, calls)) // 4 * 4
    even = len(calls) // 2 * 2
    rows = np.array([call[:size] for call in calls[:even]]).reshape(even, size // 4, 4)
    within = rows[..., 0] == rows[..., 1]
    across = rows[0::2, :, 2:] == rows[1::2, :, 2:]
    table = [[int(same.sum()), int((~same).sum())] for same in (within, across)]
    return float(scipy.stats.fisher_exact(table, alternative="greater").pvalue)


def _views(first: Tokens, completed: Tokens, num_tokens: int) -> list[tuple[Tokens, int]]:
    """The two views of each trial, and how many values each can have."""
    return [(first, num_tokens), (completed % FOLDS, FOLDS)]


def _pairings(trials: int, rng: np.random.Generator) -> list[tuple[Tokens, Tokens]]:
    """Disjoint pairs of the trials of a call, of :data:`KINDS` kinds."""
    dealt = rng.permutation(trials)[: 2 * MOST_PAIRS]
    half = len(dealt) // 2
    power = 1 << int(rng.integers(2, max(trials.bit_length() - 1, 3)))
    few, part = int(rng.integers(3, NEAR + 1)), _part(trials, int(rng.integers(3, PARTS + 1)))
    apart = [_apart(trials, gap) for gap in (1, 2, _part(trials, 2), part, power, few)]
    return [*((left, left + gap) for left, gap in apart), (dealt[:half], dealt[half : 2 * half])]


def _part(trials: int, parts: int) -> int:
    """The length of the first of so many parts of a call, which are equal but for the last."""
    return -(-trials // parts)


@lru_cache(maxsize=256)
def _apart(trials: int, distance: int) -> tuple[Tokens, int]:
    """The lower trials of disjoint pairs at a distance, and the distance; most calls of a check are of few sizes."""
    below = np.arange(min(max(trials - distance, 0), 2 * (MOST_PAIRS + distance)))
    lower = below[below // distance % 2 == 0][:MOST_PAIRS]
    lower.setflags(write=False)
    return lower, distance


def _tables(batches: Sequence[list[tuple[Tokens, int]]]) -> Iterator[NDArray[np.int64]]:
    """Tabulate each view: calls against outcomes, then outcomes against those of the other trial, for each distance."""
    for view in zip(*batches, strict=True):
        size = view[0][1]
        calls = [outcomes for outcomes, _ in view]
        yield _call_table(calls, size)
        for parts in range(2, PARTS + 1):
            yield _pair_table([(call, _part(len(call), parts)) for call in calls], size)
        powers = {1 << power for power in range(max(map(len, calls)).bit_length() - 1)}
        for distance in sorted(powers.union(range(1, NEAR + 1))):
            yield _pair_table([(call, distance) for call in calls], size)


def _call_table(calls: Sequence[Tokens], size: int) -> NDArray[np.int64]:
    """How often each call has each outcome, or one of the rare ones."""
    table = np.array([np.bincount(call, minlength=size) for call in calls])
    return _pooled(table, 1, FEWEST_EXPECTED * table.sum() / min(map(len, calls)))


def _pair_table(calls: Sequence[tuple[Tokens, int]], size: int) -> NDArray[np.int64]:
    """How often two trials of a call at its distance have each pair of outcomes, or of rare ones."""
    counts = np.zeros(size * size, dtype=np.int64)
    for call, gap in calls:
        left, distance = _apart(len(call), gap)
        counts += np.bincount(call[left] * size + call[left + distance], minlength=size * size)
    least = np.sqrt(FEWEST_EXPECTED * counts.sum())
    return _pooled(_pooled(counts.reshape(size, size), 0, least), 1, least)


def _pooled(table: NDArray[np.int64], axis: int, least: float) -> NDArray[np.int64]:
    """Classes along an axis with fewer trials taken together, and left out where they are few even then."""
    totals = table.sum(axis=1 - axis)
    rare = np.compress(totals < least, table, axis=axis).sum(axis=axis, keepdims=True)
    table = np.concatenate([np.compress(totals >= least, table, axis=axis), rare], axis=axis)
    kept: NDArray[np.int64] = np.compress(table.sum(axis=1 - axis) >= max(least, 1), table, axis=axis)
    return kept


def _independence(table: NDArray[np.int64]) -> float:
    """The p-value of Pearson's test that the rows and the columns of a table are independent."""
    table = table[table.any(axis=1)]  # a call may have had what was left out only
    if min(table.shape) < 2:
        return 1.0
    return float(scipy.stats.chi2_contingency(table).pvalue)
