"""The failing instance: the smallest problem that shows the fault, and what is drawn on it afresh."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from specproof.conformance.evidence.detectable_bias import total_variation_bound
from specproof.conformance.evidence.e_processes import LawEvidence
from specproof.conformance.evidence.sampling import calls, frequencies, joined
from specproof.conformance.explanation.case import FIRST_LOOK, Case
from specproof.conformance.explanation.shrinking import shrink
from specproof.conformance.problems.answers import Sample
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.problem import Problem
from specproof.conformance.report.check_result import Instance
from specproof.conformance.subject.failures import Crash, InvalidOutput

CONVINCING = float(np.log(1e6))
"""So much evidence is asked for on a smaller problem, and of the trials that are shown. The alarm has been given
already; this only says which problem shows it."""
SHOWN = 4
"""A report shows so many outcomes."""


def smallest(case: Case) -> Problem:
    """Find the smallest problem that convinces alone; that of the alarm if none does."""
    problem, trials = case.watch.problem, case.trials(0.2)
    if not _convinces(case, problem, trials):
        return problem
    seed = int(case.rng.integers(2**31))
    return shrink(problem, lambda it: _convinces(case, it, trials), case.seconds(0.4), case.candidates, seed)


def _convinces(case: Case, problem: Problem, trials: int) -> bool:
    """Whether so many trials of a problem alone convince, looked at as they double."""
    evidence = LawEvidence(problem.target_law.reshape(-1), problem.draft_law.reshape(-1))
    size = min(FIRST_LOOK, trials)
    while size and time.monotonic() < case.deadline:
        try:
            for part in calls(case.subject, problem, size, case.rng):
                evidence.add(part.completed)
        except (Crash, InvalidOutput):
            return False
        if evidence.log_value >= CONVINCING:
            return True
        size = min(evidence.trials, trials - evidence.trials)
    return False


class Fresh(NamedTuple):
    """What was drawn afresh on a problem."""

    instance: Instance
    emitted: Tokens
    """The counts of the flattened emitted law."""
    is_convincing: bool
    """Whether these trials alone refute the target's law, or depend on each other, so that they cannot."""

    @property
    def shown(self) -> Instance | None:
        """The instance if these trials show what is wrong with it."""
        return self.instance if self.is_convincing else None

    @property
    def doubt(self) -> str:
        """Say in a sentence why no failing instance is shown; empty if these trials show it."""
        if self.is_convincing:
            return ""
        return (
            f"no failing instance is shown: {self.instance.trials:,} fresh trials of '{self.instance.name}' do not "
            "refute the target's law; what is wrong may be rarer than they show, or depend on how many trials a call "
            "has or on the calls before"
        )


def describe(
    case: Case,
    problem: Problem,
    name: str,
    draw: Callable[[int], Sample],
    *,
    dependent: bool = False,
    neighbours: Sequence[Problem] = (),
) -> Fresh:
    """Draw afresh and say what differs most; two halves bound the distance, if trials are independent."""
    evidence = LawEvidence(problem.target_law.reshape(-1), problem.draft_law.reshape(-1))
    drawn = [draw(case.trials(0.15)) for _ in range(2)]
    halves = [np.bincount(half.completed, minlength=evidence.law.size) for half in drawn]
    evidence.counts += halves[0] + halves[1]
    bound = 0.0 if dependent else total_variation_bound(halves[0], halves[1], evidence.law, case.level)
    emitted = np.bincount(joined(drawn).emitted, minlength=int(np.prod(problem.emitted_shape)))
    convincing = dependent or bound > 0 or evidence.log_value >= CONVINCING
    return Fresh(instance_of(problem, name, halves, bound, neighbours), emitted, convincing)


def instance_of(
    problem: Problem, name: str, halves: Sequence[Tokens], total_variation: float, neighbours: Sequence[Problem]
) -> Instance:
    """Say what differs most in counts of the completed law."""
    law = problem.target_law.reshape(-1)
    observed = frequencies(halves[0] + halves[1])
    surprise = np.where(law > 0, np.abs(observed - law), np.ceil(observed))  # what is impossible comes first
    order = np.argsort(-surprise, kind="stable")
    shown = order[(law[order] > 0) | (observed[order] > 0)][:SHOWN]
    return Instance(
        problem,
        name,
        int(sum(half.sum() for half in halves)),
        {outcome_name(problem, int(i)): float(law[i]) for i in shown},
        {outcome_name(problem, int(i)): float(observed[i]) for i in shown},
        total_variation,
        tuple(neighbours),
    )


def outcome_name(problem: Problem, outcome: int) -> str:
    """Name an outcome of the completed law by its tokens."""
    return " ".join(str(int(token)) for token in np.unravel_index(outcome, problem.target_law.shape))
