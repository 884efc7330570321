"""An alarm to be explained: the function, the problem, and the time there is to look."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from specproof.conformance.evidence.sampling import joined, sample, sample_mixed
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.problems.answers import Sample
from specproof.conformance.problems.problem import Problem, VerifierProblem
from specproof.conformance.report.finding import Finding
from specproof.conformance.subject.sampler_under_test import Subject

FEWEST, MOST = 4000, 2**20
"""A problem that is looked at again has four times as many trials as gave the alarm, within these and the time left."""
FIRST_LOOK = 64
"""The first look at a problem has at most so many trials."""
LEAST_SECONDS = 0.1
"""Each step of the explanation has so many seconds, also when it is late."""


@dataclass(frozen=True)
class Case:
    """A function that alarmed on one problem, the other problems it was tried on, and the time there is to look."""

    subject: Subject
    watch: Watch
    others: Sequence[Watch]
    level: float
    rng: np.random.Generator
    deadline: float
    candidates: int
    """So many problems are tried in search of a small one that fails."""
    single: Sequence[Finding] = ()
    """These findings say what was wrong one trial at a time."""

    @property
    def mates(self) -> list[VerifierProblem]:
        """The problem and others of its shape, which fit into one batch."""
        watches = [self.watch, *(other for other in self.others if other.problem.shape == self.watch.problem.shape)]
        return [batched for watch in watches if (batched := watch.problem.batched) is not None]

    def seconds(self, share: float) -> float:
        """Give a share of the time left, but enough for a fast function on a busy machine."""
        return max(share * (self.deadline - time.monotonic()), LEAST_SECONDS)

    def affordable(self, share: float) -> int:
        """Give the number of trials of batches that a share of the time left allows."""
        return max(int(self.seconds(share) / self.subject.batches.pace), FIRST_LOOK)

    def trials(self, share: float) -> int:
        """Give the number of trials for a second look."""
        return min(max(4 * self.watch.law.trials, FEWEST), MOST, self.affordable(share))

    def alone(self, problem: Problem | None = None) -> Callable[[int], Sample]:
        """Give a function that draws trials of a problem alone, of the alarm's by default."""
        asked = problem or self.watch.problem
        return lambda trials: sample(self.subject, asked, trials, self.rng)

    def mixed(self, trials: int) -> Sample:
        """Draw trials of the alarm's problem in batches of different problems."""
        parts = sample_mixed(self.subject, self.mates, trials, self.rng)
        return joined([part for index, part in parts if index == 0])
