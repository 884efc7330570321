"""How large a bias must be to be seen by bets that know the drafts."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second
from numpy.typing import NDArray

from specproof.simulations.statistics import POWER
from specproof.theory.distribution import Array

LEARNING = 1.25
"""Bets that are learned at the ends of blocks, not after every trial, cost so much more: (g-1)/ln g for growth g."""
STARTS = 32
"""So many random sets of outcomes are improved in search of the one whose share varies most."""
LEAST_GAIN = 1e-14
"""An improvement of a variance by less is rounding."""


class Variances(NamedTuple):
    """How much a trial varies, the drafts being known."""

    directions: Array
    """Along each of m directions, as a share of the variance under the law, shape (m,)."""
    hardest: float
    """The largest variance of a trial's share of a set of outcomes."""
    share: float
    """That of the hardest direction, as a share of its variance under the law."""


def variances_of(law: Array, covariance: Array) -> Variances:
    """Give the variances of what a trial adds to the completed outcomes, whose law is q of shape (m,).

    The hardest set has the largest variance; it is searched for by local improvement.
    """
    values = np.linalg.eigvalsh(covariance / np.sqrt(np.outer(law, law)))
    chosen = most_variable(covariance)
    variance = max(float(chosen @ covariance @ chosen), 1e-300)
    share = variance / max(float((chosen - chosen @ law) ** 2 @ law), 1e-300)
    return Variances(np.maximum(values, 0.0), variance, share)


def coupled_detectable_bias(variances: Variances, trials: int, level: float, ridges: Array) -> float:
    r"""Give the bias that is seen in n trials with probability ``POWER``, in the direction that is hardest to see.

    A deviation of total variation :math:`\delta` moves the share of some set of outcomes by :math:`\delta`, and the
    trials tell of it as :math:`\sqrt n \delta / \sigma`, where :math:`\sigma` is the standard deviation of one
    trial's share of that set, the drafts being known. (Normal approximation, as in
    :func:`~specproof.conformance.evidence.detectable_bias.detectable_bias`: no verdict rests on it.)
    """
    freedom = variances.directions.size - 1

    def excess(bias: float) -> float:
        statistic = scipy.special.chndtrix(1 - POWER, freedom, trials * bias**2 / variances.hardest)
        costs = 0.5 * LEARNING * np.log1p(trials * variances.directions / ridges[:, np.newaxis]).sum(axis=1)
        kept = trials * variances.share / (trials * variances.share + ridges)
        return float((0.5 * statistic * kept - costs).max() + np.log(level))

    return float(scipy.optimize.brentq(excess, 1e-9, 1.0, xtol=1e-6)) if excess(1.0) > 0 else math.inf


def most_variable(covariance: Array) -> NDArray[np.float64]:
    """Give the indicator of a set of outcomes whose share varies most, up to local improvement."""
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, 2, (STARTS, len(covariance))).astype(np.float64)
    rows = np.arange(STARTS)
    while True:
        # What flipping each outcome of each set adds to its variance.
        gains = 2 * (1 - 2 * chosen) * (chosen @ covariance) + np.diag(covariance)
        best = gains.argmax(axis=1)
        better = gains[rows, best] > LEAST_GAIN
        if not better.any():
            break
        flipped = rows[better], best[better]
        chosen[flipped] = 1 - chosen[flipped]
    variances = np.einsum("si,ij,sj->s", chosen, covariance, chosen, optimize=True)
    found: NDArray[np.float64] = chosen[variances.argmax()]
    return found
