r"""Bets on what is emitted beside the drafts: what the drafts explain of the noise is taken away.

The kit draws the drafts x itself, from a law p that it knows, and a lossless sampler emits outcomes y of law q. What a
sampler emits on given drafts is unknown, but whatever it is, any functions g and h with :math:`E_q g = E_p h` have

.. math:: E\,[1 + g(Y) - h(X)] = 1,

so that products of such factors are e-processes as long as each factor is chosen before its trial and is not negative.
A bet on g(Y) alone has the variance of g under q; with h(x) near the mean of g(Y) on the drafts x, it has the variance
that is left once the drafts are known: little where most drafts are accepted. The argument is in full in
``docs/level.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.evidence.coupled_detectable_bias import Variances, coupled_detectable_bias, variances_of
from specproof.conformance.evidence.e_processes import log_mean
from specproof.conformance.evidence.small_products import by_one_thread
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.problem import Problem
from specproof.theory.distribution import Array

RIDGES = np.array([4.0**power for power in range(3, 14)])
"""The bets are shrunk as if so many trials for each degree of freedom had shown no deviation; each strength has an
e-process of its own."""
FIRST_BLOCK = 256
"""Nothing is bet on so many first trials; bets are learned from them, and anew as trials grow."""
GROWTH = 1.5
"""Bets are learned anew whenever there are so many times the trials that they were learned from."""
LEAST_FACTOR = 0.5
"""No trial of any drafts and outcome multiplies an e-process by less."""
LEAST_SHARE = 1e-9
"""Nothing is bet on outcomes that are rarer."""
PRIOR_TRIALS = 4.0
"""The emitted law on given drafts is estimated as if so many trials had followed the target's law."""


class CoupledEvidence:
    r"""E-process of independent trials against the law q of what is emitted, which sees the drafts too.

    A trial is a pair of drafts x and an emitted outcome e, whose completions have the exact laws G(e), a row over the m
    completed outcomes. A factor is :math:`1 + \theta \cdot (G(e) - H(x))`; H(x) estimates the mean of G on the drafts x
    from earlier trials and is shifted so that :math:`\sum_x p(x) H(x) = q`, and :math:`\theta` maximises the
    quadratic growth of the earlier trials, less a ridge.

    Parameters
    ----------
    problem : Problem
        A problem whose :attr:`~specproof.conformance.problems.problem.Problem.draft_chances` are known.
    """

    def __init__(self, problem: Problem) -> None:
        """Start with no trials."""
        law = problem.target_law.reshape(-1)
        usual = law >= LEAST_SHARE
        self._law, self._completions = law[usual], problem.completions[:, usual]
        self._chances = problem.draft_chances
        self._counts = np.zeros((self._chances.size, len(self._completions)), dtype=np.int64)
        self.ridges: Array = RIDGES * max(self._law.size - 1, 1)
        self._logs = np.zeros(RIDGES.size)
        self._next = FIRST_BLOCK
        self._variances: tuple[int, Variances] | None = None
        self._bets = np.zeros((RIDGES.size, self._law.size))
        self._means = np.tile(self._law, (self._chances.size, 1))

    @property
    def trials(self) -> int:
        """The number of trials so far."""
        return int(self._counts.sum())

    @property
    def log_value(self) -> float:
        """The logarithm of the average e-process."""
        return log_mean(self._logs)

    @property
    def log_values(self) -> Array:
        """The logarithms of the e-processes of each of ``RIDGES``."""
        return self._logs

    def add(self, drafts: Tokens, emitted: Tokens) -> None:
        """Count further trials, in their order, given as numbers of draft tuples and of emitted outcomes."""
        cells = drafts * self._counts.shape[1] + emitted
        with by_one_thread():
            for block in self._blocks(cells):
                counts = np.bincount(block, minlength=self._counts.size).reshape(self._counts.shape)
                times, gaps = self._seen(counts)
                self._logs += np.log1p(self._bets @ gaps.T) @ times
                self._counts += counts
                if self.trials >= self._next:
                    self._learn()

    def detectable_bias(self, level: float) -> float:
        """Give the bias that would have been seen in these trials, in total variation."""
        trials = self.trials
        if trials < FIRST_BLOCK or self._law.size < 2:
            return math.inf
        return coupled_detectable_bias(self.variances(), trials, level / RIDGES.size, self.ridges)

    def variances(self) -> Variances:
        """Estimate how much a trial varies, the drafts being known."""
        if self._variances is None or self._variances[0] != self.trials:
            with by_one_thread():
                self._variances = self.trials, variances_of(self._law, self._moments()[1] / self.trials)
        return self._variances[1]

    def _blocks(self, cells: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Split trials where the bets are to be learned anew."""
        while cells.size:
            size = max(self._next - self.trials, 1)
            yield cells[:size]
            cells = cells[size:]

    def _learn(self) -> None:
        """Choose the bets on the trials to come from those so far."""
        self._means = _means(self._counts, self._completions, self._law, self._chances)
        slope, curvature = self._moments()
        shrunk = curvature + self.ridges[:, np.newaxis, np.newaxis] * np.diag(self._law)
        bets = np.linalg.solve(shrunk, np.broadcast_to(slope[:, np.newaxis], (RIDGES.size, slope.size, 1)))[..., 0]
        worst = (bets @ self._completions.T).min(axis=1) - (bets @ self._means.T).max(axis=1)
        self._bets = bets * np.minimum(1.0, (1 - LEAST_FACTOR) / np.maximum(-worst, 1e-300))[:, np.newaxis]
        self._next = math.ceil(GROWTH * self.trials)

    def _moments(self) -> tuple[Array, Array]:
        """Sum G(e) - H(x) over the trials so far, and their squares: shapes (m,) and (m, m)."""
        times, gaps = self._seen(self._counts)
        weighted = times[:, np.newaxis] * gaps
        return weighted.sum(axis=0), gaps.T @ weighted

    def _seen(self, counts: NDArray[np.int64]) -> tuple[Array, Array]:
        """Give how often each pair that was seen was seen, and its G(e) - H(x): shapes (c,) and (c, m)."""
        cells = np.flatnonzero(counts)
        rows, columns = np.divmod(cells, counts.shape[1])
        return counts.reshape(-1)[cells].astype(np.float64), self._completions[columns] - self._means[rows]


def _means(counts: NDArray[np.int64], completions: Array, law: Array, chances: Array) -> Array:
    """Estimate the mean completion on each draft tuple, shifted so that their mean over the drafts is exactly q."""
    totals = counts.sum(axis=1, keepdims=True)
    # In floats a library makes the product; that of integers and floats takes NumPy several times as long.
    means = (counts.astype(np.float64) @ completions + PRIOR_TRIALS * law) / (totals + PRIOR_TRIALS)
    shifted: Array = means - (chances @ means - law)
    return shifted
