r"""Evidence against an exact law that may be looked at after every draw.

An *e-process* is a non-negative martingale of mean 1 while the null hypothesis is true. By Ville's inequality it ever
exceeds 1/level with probability at most ``level``, however often one looks and whenever one stops; nothing is
approximated. Gross defects are seen after a few draws and fine ones get the draws that they need.
"""

from __future__ import annotations

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second
from numpy.typing import NDArray

from specproof.conformance.evidence.detectable_bias import CONCENTRATIONS, detectable_bias
from specproof.theory.distribution import Array

LEAKS = 0.5 ** np.arange(1, 12)
"""Shares of another law that may have been mixed in: 1/2 down to 1/2048."""


class LawEvidence:
    r"""E-process of independent draws against their exact law q over m outcomes.

    The likelihood of the counts under a mixture of alternatives, over their likelihood under q. Half of the mixture is
    Dirichlet-multinomial, centred at q and averaged over the concentrations :math:`\kappa` of ``CONCENTRATIONS``,

    .. math:: E_\kappa = \frac{\Gamma(\kappa)}{\Gamma(\kappa+n)}
              \prod_i \frac{\Gamma(\kappa q_i + c_i)}{\Gamma(\kappa q_i)\, q_i^{c_i}},

    which looks in all directions at once, about as well as a chi-square test of fixed size does. The other half is
    averaged over the laws :math:`(1-\varepsilon) q + \varepsilon d`, in which another law d leaks in. An outcome of
    probability 0 that was drawn once is infinite evidence.
    """

    def __init__(self, law: Array, leak: Array | None = None) -> None:
        """Start with no draws; ``law`` and ``leak`` have shape (m,)."""
        self.law = law
        self.counts = np.zeros(law.size, dtype=np.int64)
        self._possible = law > 0
        self._log_ratios = None if leak is None else _leak_ratios(law[self._possible], leak[self._possible])

    @property
    def trials(self) -> int:
        """The number of draws so far."""
        return int(self.counts.sum())

    def add(self, outcomes: NDArray[np.int64]) -> None:
        """Count further draws, given as numbers of outcomes."""
        self.counts += np.bincount(outcomes, minlength=self.law.size)

    def detectable_bias(self, level: float) -> float:
        """Give the bias that would have been seen in these draws, in total variation."""
        return detectable_bias(int(np.count_nonzero(self._possible)), self.trials, level)

    @property
    def log_value(self) -> float:
        """The logarithm of the e-process."""
        if self.counts[~self._possible].any():
            return float("inf")
        spread = log_mean(self.spreads())
        if self._log_ratios is None:
            return spread
        return log_mean(np.array([spread, log_mean(self.leaks())]))

    @property
    def freedom(self) -> int:
        """The number of possible outcomes less one, at least 1."""
        return max(int(np.count_nonzero(self._possible)) - 1, 1)

    def spreads(self, concentrations: Array = CONCENTRATIONS) -> Array:
        """Give the logarithms of the likelihood ratios of some concentrations, of possible outcomes alone."""
        return _dirichlet_multinomial(self.counts[self._possible], self.law[self._possible], concentrations)

    def leaks(self) -> Array:
        """Give the logarithms of the likelihood ratios of each of ``LEAKS``, of possible outcomes alone."""
        if self._log_ratios is None:
            return np.zeros(LEAKS.size)
        ratios: Array = self._log_ratios @ self.counts[self._possible]
        return ratios


class AcceptanceEvidence:
    r"""E-process of independent trials against a probability of at most ``bound``.

    The average likelihood ratio of :math:`a + (1-a) 2^{-j}`, j = 1..12, to the bound a: of mean at most 1 for every
    probability up to a. With a = 0 a single acceptance is infinite evidence; with a = 1, up to rounding, there never is
    any.
    """

    def __init__(self, bound: float) -> None:
        """Start with no trials."""
        self.bound = bound
        self.trials = self.successes = 0

    def add(self, accepted: NDArray[np.bool_]) -> None:
        """Count further trials."""
        self.trials += accepted.size
        self.successes += int(np.count_nonzero(accepted))

    @property
    def log_value(self) -> float:
        """The logarithm of the e-process."""
        if self.bound <= 0:
            return float("inf") if self.successes else 0.0
        if self.bound >= 1 - 1e-12:  # 1 up to rounding
            return 0.0
        larger = self.bound + (1 - self.bound) * 0.5 ** np.arange(1, 13)
        gains = self.successes * (np.log(larger) - np.log(self.bound))
        losses = (self.trials - self.successes) * np.log1p(-(larger - self.bound) / (1 - self.bound))
        return log_mean(gains + losses)


def log_mean(values: Array) -> float:
    """Average numbers that are given by their logarithms, and give the logarithm."""
    return float(np.logaddexp.reduce(values) - np.log(values.size))


def _dirichlet_multinomial(counts: NDArray[np.int64], law: Array, concentrations: Array) -> Array:
    gammaln = scipy.special.gammaln
    prior = concentrations[:, np.newaxis] * law
    seen = counts > 0
    terms = gammaln(prior[:, seen] + counts[seen]) - gammaln(prior[:, seen])
    total = gammaln(concentrations + counts.sum()) - gammaln(concentrations)
    values: Array = terms.sum(axis=1) - total - (counts[seen] * np.log(law[seen])).sum()
    return values


def _leak_ratios(law: Array, leak: Array) -> Array:
    """Logarithms of ((1 - e) q + e d) / q, shape (leaks, m)."""
    shares = LEAKS[:, np.newaxis]
    with np.errstate(over="ignore"):  # q far below d: an infinite ratio is huge evidence, as it should be
        quotients = np.minimum(leak / law, np.finfo(np.float64).max)
    ratios: Array = np.log((1 - shares) + shares * quotients)
    return ratios
