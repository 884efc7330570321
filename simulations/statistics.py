"""Tests with a stated false-alarm level and a stated power: exact binomial, empirical Bernstein, exact martingales.

``level`` is always the chance that a check of a true statement alarms (two-sided, finite-sample, no normal
approximation). ``detectable`` is always the smallest deviation that the check would have seen with probability
``POWER``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second
from numpy.typing import NDArray

from specproof.theory.distribution import Array

POWER = 0.99
"""With this probability a deviation of the ``detectable`` size is seen."""


@dataclass(frozen=True)
class Check:
    """One checked number: what it should be, what was seen, and an interval that misses the truth at most at level.

    Examples
    --------
    >>> from specproof.claims import check_frequency
    >>> check = check_frequency(75, 100, 0.75, level=1e-6)
    >>> check.estimate, check.is_refuted
    (0.75, False)
    """

    exact: float
    estimate: float
    low: float
    high: float
    trials: int
    detectable: float

    @property
    def is_refuted(self) -> bool:
        """Whether the exact value lies outside the interval."""
        return not self.low <= self.exact <= self.high


def binomial_interval(successes: int, trials: int, level: float) -> tuple[float, float]:
    """Clopper and Pearson's interval for a probability: it misses the truth with probability at most ``level``.

    Examples
    --------
    >>> from specproof.claims import binomial_interval
    >>> [round(end, 3) for end in binomial_interval(50, 100, 0.05)]
    [0.398, 0.602]
    """
    low, high = _intervals(np.array([successes]), trials, level)
    return float(low[0]), float(high[0])


def check_frequency(successes: int, trials: int, exact: float, level: float) -> Check:
    """Test a count of independent trials against its exact probability (exact binomial).

    Examples
    --------
    >>> from specproof.claims import check_frequency
    >>> [check_frequency(750, 1000, exact, level=1e-6).is_refuted for exact in (0.75, 0.5)]
    [False, True]
    """
    return _check_frequencies(np.array([successes]), trials, np.array([exact]), level)[0]


def check_law(tokens: NDArray[np.int64], exact: Array, level: float) -> Check:
    """Test independent draws against an exact law over V outcomes: an exact binomial test of each, the level shared.

    Returned is the outcome whose estimate has moved furthest towards an end of its interval, or past it. An outcome of
    probability 0 that was drawn once refutes the law whatever the level.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.claims import check_law
    >>> tokens = np.random.default_rng(0).choice(2, size=1000, p=[0.25, 0.75])
    >>> [check_law(tokens, np.array([p, 1 - p]), 1e-6).is_refuted for p in (0.25, 0.5)]
    [False, True]
    """
    counts = np.bincount(tokens, minlength=exact.size)
    if counts.size > exact.size:
        raise ValueError(f"an outcome {counts.size - 1} was drawn from a law over {exact.size}")
    impossible = np.flatnonzero((exact <= 0) & (counts > 0))
    if impossible.size:
        frequency = counts[impossible[0]] / tokens.size
        return Check(0.0, frequency, float(np.nextafter(0.0, 1.0)), 1.0, tokens.size, 1.0 / tokens.size)
    checks = _check_frequencies(counts, tokens.size, exact, level / exact.size)
    worst = max(checks, key=_strain)
    return Check(
        worst.exact, worst.estimate, worst.low, worst.high, tokens.size, max(check.detectable for check in checks)
    )


def check_mean(values: Array, lowest: float, highest: float, exact: float, level: float) -> Check:
    """Test the mean of independent bounded values against its exact value (empirical Bernstein, Maurer-Pontil 2009).

    ``detectable`` adds to the interval's half-width the same bound on the sampling error of the mean, at ``POWER``.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.claims import check_mean
    >>> values = np.random.default_rng(0).random(1000)
    >>> check_mean(values, 0.0, 1.0, 0.5, 1e-6).is_refuted, check_mean(values, 0.0, 1.0, 0.9, 1e-6).is_refuted
    (False, True)
    """
    low, high = mean_interval(values, lowest, highest, level)
    detectable = sum(_half_width(values, highest - lowest, error) for error in (level, 2 * (1 - POWER)))
    return Check(exact, float(values.mean()), low, high, values.size, detectable)


def mean_interval(values: Array, lowest: float, highest: float, level: float) -> tuple[float, float]:
    r"""Interval for the mean of n independent values in [lowest, highest] with sample variance s^2.

    .. math:: \bar x \pm \left(\sqrt{2 s^2 \ln(4/\delta)/n} + 7 (b-a) \ln(4/\delta) / (3(n-1))\right)

    (Maurer and Pontil 2009, Theorem 4, both sides.)

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.claims import mean_interval
    >>> [round(end, 1) for end in mean_interval(np.full(10_000, 0.5), 0.0, 1.0, 0.05)]
    [0.5, 0.5]
    """
    half, mean = _half_width(values, highest - lowest, level), values.mean()
    return float(max(mean - half, lowest)), float(min(mean + half, highest))


def _half_width(values: Array, spread: float, level: float) -> float:
    count, factor = values.size, np.log(4 / level)
    return float(np.sqrt(2 * values.var(ddof=1) * factor / count) + 7 * spread * factor / (3 * (count - 1)))


def check_drift(events: NDArray[np.bool_], probabilities: Array, level: float) -> Check:
    r"""Test that each event has the stated probability given all that went before it.

    The events may depend on each other, and their number on them, as along a text: only the conditional probabilities
    t_n are stated. Then for every :math:`\lambda`, with :math:`S = \sum_n (1_n - t_n)`,

    .. math:: \exp\Big(\lambda S - \sum_n [\log(1 - t_n + t_n e^\lambda) - \lambda t_n]\Big)

    is a martingale of mean 1, and so is their average over a fixed grid of :math:`\lambda`. By Ville's inequality it
    exceeds 1/level with probability at most ``level``, however long one looks. The interval is the observed rate
    minus the S that would not have been refuted.

    The grid is fixed before the data: both signs, geometric from 1e-3 to 2. An event of probability 0 that happened
    refutes at once.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.claims import check_drift
    >>> events = np.random.default_rng(0).random(1000) < 0.25
    >>> [check_drift(events, np.full(1000, rate), 1e-6).is_refuted for rate in (0.25, 0.5)]
    [False, True]
    """
    count = events.size
    observed, stated = float(events.mean()), float(probabilities.mean())
    if np.any(events & (probabilities <= 0)) or np.any(~events & (probabilities >= 1)):
        impossible = float(np.nextafter(stated, 2.0))
        return Check(stated, observed, impossible, max(impossible, 1.0), count, 1.0 / count)
    rates = np.geomspace(1e-3, 2.0, 24)
    slopes = np.concatenate((-rates, rates))
    growth = np.log1p(probabilities[:, np.newaxis] * np.expm1(slopes)).sum(axis=0) - slopes * probabilities.sum()

    def evidence(total: float) -> float:
        return float(scipy.special.logsumexp(slopes * total - growth) - np.log(slopes.size) + np.log(level))

    # A bounded sum, and evidence convex in it with its least value below zero near zero drift.
    lowest = float(scipy.optimize.brentq(evidence, -50.0 * count - 1e6, 0.0))
    highest = float(scipy.optimize.brentq(evidence, 0.0, 50.0 * count + 1e6))
    power = np.sqrt(np.log(1 / (1 - POWER)) / (2 * count))
    detectable = max(highest, -lowest) / count + power
    low, high = max(observed - highest / count, 0.0), min(observed - lowest / count, 1.0)
    return Check(stated, observed, low, high, count, float(detectable))


def _strain(check: Check) -> float:
    """How far the exact value lies from the estimate, in units of the interval's arm on that side; above 1 outside."""
    arm = check.high - check.estimate if check.exact > check.estimate else check.estimate - check.low
    distance = abs(check.exact - check.estimate)
    return distance / arm if arm > 0 else float(np.inf if distance else 0)


def _check_frequencies(successes: NDArray[np.int64], trials: int, exact: Array, level: float) -> list[Check]:
    """Test several counts of the same trials, each at the level."""
    low, high = _intervals(successes, trials, level)
    # What cannot happen refutes at once, also where the interval's end rounds to 0 or 1.
    low = np.where(successes > 0, np.maximum(low, np.nextafter(0.0, 1.0)), low)
    high = np.where(successes < trials, np.minimum(high, np.nextafter(1.0, 0.0)), high)
    detectable = np.maximum(*(_excess_detectable(chance, trials, level) for chance in (exact, 1.0 - exact)))
    columns = (column.tolist() for column in (exact, successes, low, high, detectable))
    return [
        Check(p, count / trials, start, end, trials, shift)
        for p, count, start, end, shift in zip(*columns, strict=True)
    ]


def _intervals(successes: NDArray[np.int64], trials: int, level: float) -> tuple[Array, Array]:
    """Both ends of :func:`binomial_interval` for several counts, which cost hardly more than one."""
    failures = trials - successes
    # Where nothing was counted on a side the beta law does not exist, and the end is that of the unit interval.
    low = scipy.special.betaincinv(np.maximum(successes, 1), failures + 1, level / 2)
    high = scipy.special.betainccinv(successes + 1, np.maximum(failures, 1), level / 2)
    return np.where(successes > 0, low, 0.0), np.where(failures > 0, high, 1.0)


def _excess_detectable(exact: Array, trials: int, level: float) -> Array:
    """Distance to the larger probability under which a count leaves its accepted range with ``POWER``.

    Where none is, that is the distance to 1, as no deviation beyond that exists.
    """
    highest = scipy.stats.binom.isf(level / 2, trials, exact)
    seen = scipy.special.betaincinv(highest + 1, np.maximum(trials - highest, 1), POWER)
    return np.where(highest >= trials, 1.0, seen) - exact
