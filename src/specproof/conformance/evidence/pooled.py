r"""All problems together: what hardly shows on each of them shows on all.

The trials of different problems are independent, so that the product of their e-processes is one. A fault that shows on
every problem by a total variation of :math:`\delta` tells as much in one product as it would on one problem with all
the trials.

Deviations of one total variation have one least chi-square distance, :math:`4 \delta^2`, however many outcomes there
are, and alternatives of concentration :math:`\kappa` over m outcomes one of :math:`(m-1)/\kappa`. So what is multiplied
are alternatives whose concentrations are in proportion to m - 1.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from specproof.conformance.evidence.coupled_bets import RIDGES
from specproof.conformance.evidence.detectable_bias import CONCENTRATIONS
from specproof.conformance.evidence.e_processes import LEAKS, log_mean
from specproof.conformance.evidence.pooled_detectable_bias import Terms, coupled_terms, law_terms, smallest_seen
from specproof.conformance.evidence.watch import Watch
from specproof.theory.distribution import Array

WAYS = 3
"""There are so many products, of which the average is taken."""
AMONG = CONCENTRATIONS.size - RIDGES.size
"""The ridges are the concentrations from this one on."""


class PooledEvidence:
    """The average of three averages of products over problems.

    One product is of the likelihood ratios of one concentration for each degree of freedom on every problem, averaged
    over all of them; one of the bets of one ridge that see the drafts, where there are any, and else of the
    concentration of that size; and one is of the same leak of the draft's law on every problem.

    Parameters
    ----------
    watches : collection of Watch
        The evidence on the ordinary problems; what they see is in the product at once.
    """

    def __init__(self, watches: Collection[Watch]) -> None:
        """Put together what there is."""
        self._watches = watches

    @property
    def log_value(self) -> float:
        """The logarithm of the average e-process, of outcomes that the laws allow."""
        spreads, seeing, leaks = np.zeros(CONCENTRATIONS.size), np.zeros(RIDGES.size), np.zeros(LEAKS.size)
        for watch in self._watches:
            own = watch.law.spreads(CONCENTRATIONS * watch.law.freedom)
            spreads += own
            seeing += watch.coupled.log_values if watch.coupled else own[AMONG:]
            leaks += watch.law.leaks()
        return log_mean(np.array([log_mean(spreads), log_mean(seeing), log_mean(leaks)]))

    def detectable_bias(self, level: float) -> float:
        """Give the bias that would have been seen if each problem that was run has one of this total variation."""
        ran = [watch for watch in self._watches if watch.law.trials]
        spreads = [_spread(watch, CONCENTRATIONS) for watch in ran]
        seeing = [_seeing(watch) for watch in ran]
        return min(
            smallest_seen(spreads, level / (WAYS * CONCENTRATIONS.size)),
            smallest_seen(seeing, level / (WAYS * RIDGES.size)),
        )


def _spread(watch: Watch, concentrations: Array) -> Terms:
    freedom = watch.law.freedom
    return law_terms(freedom, watch.law.trials, concentrations * freedom)


def _seeing(watch: Watch) -> Terms:
    if watch.coupled is None:
        return _spread(watch, RIDGES)
    return coupled_terms(watch.coupled.variances(), watch.law.trials, watch.coupled.ridges)
