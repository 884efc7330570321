"""How large a bias is, and how large one must be to be seen."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second
from numpy.typing import NDArray

from specproof.simulations.statistics import POWER, binomial_interval
from specproof.theory.distribution import Array

CONCENTRATIONS = np.array([4.0**power for power in range(14)])
"""Scales of the alternatives to a law: 1 for anything goes, 4^13 for deviations that take 10^8 draws to see."""


@cache
def detectable_bias(outcomes: int, trials: int, level: float) -> float:
    r"""Give the bias that is seen in n draws with probability ``POWER``, whatever its direction.

    It is a total variation distance, seen by :class:`~specproof.conformance.evidence.e_processes.LawEvidence`, and
    infinite if there is none that is surely seen.

    Of all deviations of total variation :math:`\delta` from a law, none has a smaller chi-square distance than
    :math:`4\delta^2`. With that one Pearson's statistic X is noncentral chi-square with parameter
    :math:`4 n \delta^2`, and the Dirichlet part of the e-process is near
    :math:`\max_\kappa (1+n/\kappa)^{-(m-1)/2} e^{X n / (2(n+\kappa))}`. (Normal approximation: no verdict rests on it.)
    """
    freedom = outcomes - 1
    if freedom < 1 or trials < 1:
        return math.inf
    threshold = np.log(2 * CONCENTRATIONS.size / level)
    ratio = trials / CONCENTRATIONS

    def excess(bias: float) -> float:
        statistic = scipy.special.chndtrix(1 - POWER, freedom, 4 * trials * bias**2)
        values = -freedom / 2 * np.log1p(ratio) + statistic / 2 * ratio / (1 + ratio)
        return float(values.max() - threshold)

    return float(scipy.optimize.brentq(excess, 1e-9, 1.0, xtol=1e-6)) if excess(1.0) > 0 else math.inf


def total_variation_bound(first: NDArray[np.int64], second: NDArray[np.int64], law: Array, level: float) -> float:
    """Lower confidence bound on the total variation distance between the law of the draws and ``law``.

    The first half of the draws picks the set of outcomes that came too often; the second half, independent of it, gives
    an exact binomial (Clopper and Pearson) lower bound on that set's probability. It is too high at most with
    probability ``level``. Both halves are counts of shape (m,).
    """
    chosen = first > first.sum() * law
    low, _ = binomial_interval(int(second[chosen].sum()), int(second.sum()), 2 * level)
    return max(low - float(law[chosen].sum()), 0.0)
