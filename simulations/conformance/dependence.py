"""Whether the trials of one batch depend on each other.

Trials are compared in pairs: next to each other, two apart, half a batch apart, a random power of two apart (blocks of
a kernel, streams that come round again) and at random; by their first token, and by all of their tokens, folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second
from numpy.typing import NDArray

from simulations.conformance.problems import Problem, Tokens
from simulations.conformance.sequential import LawEvidence

MOST_PAIRS = 2**13
"""Pairs of trials of one call that are looked at, of each kind."""
FOLDS = 8
"""Outcomes of a whole trial are told apart modulo this."""
FEWEST_EXPECTED = 5
"""In each cell of a table, for its chi-square to be nearly that; rarer classes are taken together."""


class PairEvidence:
    """Running evidence that trials of a batch depend on each other, where each has the target's law.

    One e-process for each kind of pair and each of two views of a trial, against the product of the exact laws. Their
    average is an e-process too.
    """

    def __init__(self, problem: Problem) -> None:
        """Start with no trials."""
        law = problem.target_law
        first = law.sum(axis=tuple(range(1, law.ndim)))
        folded = np.bincount(np.arange(law.size) % FOLDS, law.reshape(-1), FOLDS)
        self._evidence = [[LawEvidence(np.outer(view, view).reshape(-1)) for view in (first, folded)] for _ in range(5)]
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

    Pearson's chi-square tests of independence in pairs at every distance that is a power of two, and of one law in all
    calls, which a die that a whole call shares makes differ; each at its part of ``level``.

    Parameters
    ----------
    batches : sequence of pairs
        First tokens and numbers of outcomes of the trials of each call, in its order.
    """
    tables = list(_tables([_views(*batch, num_tokens) for batch in batches]))
    return any(_independence(table) < level / len(tables) for table in tables)


def _views(first: Tokens, completed: Tokens, num_tokens: int) -> list[tuple[Tokens, int]]:
    """The two views of each trial, and how many values each can have."""
    return [(first, num_tokens), (completed % FOLDS, FOLDS)]


def _pairings(trials: int, rng: np.random.Generator) -> list[tuple[Tokens, Tokens]]:
    """Disjoint pairs of the trials of a call, of five kinds."""
    dealt = rng.permutation(trials)[: 2 * MOST_PAIRS]
    half = len(dealt) // 2
    distance = 1 << int(rng.integers(2, max(trials.bit_length() - 1, 3)))
    apart = [_apart(trials, gap) for gap in (1, 2, max(trials // 2, 1), distance)]
    return [*((left, left + gap) for left, gap in apart), (dealt[:half], dealt[half : 2 * half])]


def _apart(trials: int, distance: int) -> tuple[Tokens, int]:
    """The lower trials of disjoint pairs at a distance, and the distance."""
    below = np.arange(max(trials - distance, 0))
    return below[below // distance % 2 == 0][:MOST_PAIRS], distance


def _tables(batches: Sequence[list[tuple[Tokens, int]]]) -> Iterator[NDArray[np.int64]]:
    trials = len(batches[0][0][0])
    for part in range(2):
        size = batches[0][part][1]
        views = [batch[part][0] for batch in batches]
        yield np.array([np.bincount(view, minlength=size) for view in views])
        for power in range(max(trials.bit_length() - 1, 0)):
            counts = np.zeros(size * size, dtype=np.int64)
            for view in views:
                left, distance = _apart(len(view), 1 << power)
                counts += np.bincount(view[left] * size + view[left + distance], minlength=size * size)
            yield counts.reshape(size, size)


def _independence(table: NDArray[np.int64]) -> float:
    """The p-value of Pearson's test that the rows and the columns of a table are independent."""
    least = np.sqrt(FEWEST_EXPECTED * table.sum())
    for axis in range(2):
        totals = table.sum(axis=1 - axis)
        rare = np.compress(totals < least, table, axis=axis).sum(axis=axis, keepdims=True)
        table = np.concatenate([np.compress(totals >= least, table, axis=axis), rare], axis=axis)
        table = np.compress(table.sum(axis=1 - axis) >= least, table, axis=axis)
    if min(table.shape) < 2:
        return 1.0
    return float(scipy.stats.chi2_contingency(table).pvalue)
