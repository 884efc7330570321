r"""How large a bias on every problem must be for the product of their e-processes to show it.

The logarithm of a product is a sum. Its mean and its standard deviation are known for each problem, in a normal
approximation; what is seen with probability ``POWER`` is what brings the quantile of the sum to the threshold. (No
verdict rests on it.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second

from specproof.conformance.evidence.coupled_bets import FIRST_BLOCK, GROWTH
from specproof.conformance.evidence.coupled_detectable_bias import Variances
from specproof.simulations.statistics import POWER
from specproof.theory.distribution import Array


class Terms(NamedTuple):
    """What one problem adds to the logarithm, an entry for each strength J: a bias d adds ``gain`` d^2 to its mean."""

    gain: Array
    cost: Array
    """So much is lost to the noise of the other directions, or of all where there is no bias."""
    spread: Array
    """The variance without a bias, and what each d^2 adds to it, shape (2, J)."""


def law_terms(freedom: int, trials: int, concentrations: Array) -> Terms:
    r"""Give the terms of n draws from a law over m outcomes, of m - 1 degrees of freedom, for Dirichlet alternatives.

    With :math:`r = n / \kappa` the logarithm is near :math:`\tfrac{1}{2} \tfrac{r}{1+r} X - \tfrac{m-1}{2} \ln(1+r)`,
    and X is noncentral chi-square with parameter :math:`4 n d^2` in the direction that is hardest to see.
    """
    ratio = trials / concentrations
    kept, information = ratio / (1 + ratio), 4.0 * trials
    cost = 0.5 * freedom * (np.log1p(ratio) - kept)
    return Terms(0.5 * kept * information, cost, np.stack([0.5 * freedom * kept**2, kept**2 * information]))


def coupled_terms(variances: Variances, trials: int, ridges: Array) -> Terms:
    r"""Give the terms of n trials for bets that know the drafts and are learned as trials grow.

    Bets on b trials that were learned from n keep the share :math:`k = n \lambda / (n \lambda + \kappa)` of a direction
    of variance :math:`\lambda`. They gain :math:`(b/n)(k - k^2/2) \nu` where :math:`\nu` is the noncentrality of n
    trials, and lose :math:`(b/n) k^2 / 2` in every direction.
    """
    learned = FIRST_BLOCK * GROWTH ** np.arange(max(math.log(trials / FIRST_BLOCK, GROWTH), 0.0))
    blocks = np.diff(np.append(learned, trials)) / learned
    seen = learned[:, np.newaxis, np.newaxis] * variances.directions
    squares = ((seen / (seen + ridges[:, np.newaxis])) ** 2).sum(axis=2)
    lost = blocks @ squares
    seen = learned[:, np.newaxis] * variances.share
    kept = seen / (seen + ridges)
    drawn = blocks[:, np.newaxis] * learned[:, np.newaxis]
    gain = (drawn * (kept - 0.5 * kept**2)).sum(axis=0) / variances.hardest
    # The noise of a block moves what is bet on it and, by what is learned, what all later ones gain.
    later = np.cumsum((blocks[:, np.newaxis] * kept * (1 - kept))[::-1], axis=0)[::-1]
    moved = kept + np.concatenate([later[1:], np.zeros((1, ridges.size))])
    return Terms(gain, 0.5 * lost, np.stack([lost, (drawn * moved**2).sum(axis=0) / variances.hardest]))


def smallest_seen(terms: Sequence[Terms], level: float) -> float:
    """Give the bias on every problem that brings some strength's sum to the threshold; infinite if none does."""
    if not terms:
        return math.inf
    gain, cost, spread = (np.sum(parts, axis=0) for parts in zip(*terms, strict=True))
    quantile = float(scipy.special.ndtri(POWER))

    def excess(bias: float) -> float:
        deviation = quantile * np.sqrt(spread[0] + spread[1] * bias**2)
        return float((gain * bias**2 - cost - deviation).max() + np.log(level))

    return float(scipy.optimize.brentq(excess, 1e-9, 1.0, xtol=1e-6)) if excess(1.0) > 0 else math.inf
