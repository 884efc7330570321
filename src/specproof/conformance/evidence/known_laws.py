r"""Bets on laws that are known to come of defects, all problems together.

A wrong law d that is known is told from q after far fewer trials than a wrong law that has to be learned: the ratio
:math:`(1-\varepsilon) + \varepsilon d(y)/q(y)` has mean 1 under q, and grows fastest where d is the truth. As a defect
shows on many problems, the ratios of all of them are multiplied.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from specproof.conformance.evidence.e_processes import LawEvidence, log_mean
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.problems.problem import Problem
from specproof.theory.distribution import Array

MIXED_IN = np.array([0.9, 0.5, 0.125])
"""Shares of a defect's law that are bet on: not all, as what a defect never emits may come of a milder one."""
MOST_OUTCOMES = 32
"""Problems of more outcomes are left out: laws of long texts take seconds to compute."""

Law = Callable[[Any], Array]
"""The exact emitted law of a defect on a problem."""


class Seen(Protocol):
    """What was seen of one problem."""

    @property
    def problem(self) -> Problem:
        """The problem."""

    @property
    def law(self) -> LawEvidence:
        """The evidence against its completed law."""


class Bets(NamedTuple):
    """The laws of the known defects on one problem, of outcomes that the target allows."""

    log_ratios: Array
    """The logarithms of what a trial multiplies each e-process by, shape (laws, shares, m)."""
    growth: Array
    """Their means where the law that is bet on is the truth, shape (laws, shares)."""


def log_value_of_known(watches: Collection[Seen], laws: tuple[Law, ...]) -> float:
    """Give the logarithm of the average e-process over defects and shares, of outcomes that the target allows."""
    return log_mean(_log_values(watches, laws).reshape(-1)) if laws else 0.0


def most_telling(watches: Collection[Watch], laws: tuple[Law, ...]) -> Watch | None:
    """Choose the problem a trial of which is expected to add most to the e-process; None if no law is known of any.

    Defects are weighed by their e-processes: what was seen leaves few of them, and these are told from the target's law
    soonest where they differ most from it.
    """
    asked = [watch for watch in watches if watch.law.law.size <= MOST_OUTCOMES]
    if not asked or not laws:
        return None
    values = _log_values(watches, laws)
    weights = np.exp(values - values.max())
    return max(asked, key=lambda watch: float((weights * _bets(laws, watch.problem).growth).sum()))


def prepare_known(watch: Watch, laws: tuple[Law, ...]) -> None:
    """Compute what will be needed of the laws on one problem, once in a process."""
    if laws and watch.law.law.size <= MOST_OUTCOMES:
        _bets(laws, watch.problem)


def _log_values(watches: Collection[Seen], laws: tuple[Law, ...]) -> Array:
    """Sum the logarithms of all trials' factors, shape (laws, shares)."""
    values = np.zeros((len(laws), MIXED_IN.size))
    for watch in watches:
        if watch.law.trials and watch.law.law.size <= MOST_OUTCOMES:
            values += _bets(laws, watch.problem).log_ratios @ watch.law.counts[watch.law.law > 0]
    return values


@lru_cache(maxsize=256)
def _bets(laws: tuple[Law, ...], problem: Problem) -> Bets:
    known = np.stack([problem.completed(emitted_law(law, problem).reshape(problem.emitted_shape)) for law in laws])
    known, target = known.reshape(len(laws), -1), problem.target_law.reshape(-1)
    quotients = known[:, target > 0] / np.maximum(known.sum(axis=1, keepdims=True), 1.0) / target[target > 0]
    shares = MIXED_IN[:, np.newaxis]
    ratios = (1 - shares) + shares * quotients[:, np.newaxis]
    return Bets(np.log(ratios), (target[target > 0] * ratios * np.log(ratios)).sum(axis=-1))


@lru_cache(maxsize=4096)
def emitted_law(law: Law, problem: Problem) -> Array:
    """Compute a defect's law on a problem once, flattened: every check of a process observes the same problems."""
    row = law(problem).reshape(-1)
    row.setflags(write=False)
    return row
