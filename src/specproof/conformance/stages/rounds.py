"""The fourth stage: every problem in large batches, in rounds that double."""

from __future__ import annotations

import time
from collections import defaultdict

from specproof.conformance.evidence.sampling import calls, sample_mixed
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.report.finding import Finding
from specproof.conformance.stages.alarms import alarm_together, alarms, telling
from specproof.conformance.stages.state import Check
from specproof.conformance.subject.failures import asked


def run_rounds(check: Check) -> list[Finding]:
    """Run each problem alone and mixed with others of its shape, in doubling rounds until one of them alarms.

    What only all problems together show is told at the end: further rounds may show it on one.

    Raises
    ------
    Crash, InvalidOutput
        If the function breaks its contract.
    """
    groups = defaultdict(list)
    for watch in check.watches.values():
        groups[watch.problem.shape].append(watch)
    pace = 0.0
    for number in range(check.budget.rounds):
        trials = _affordable(check, check.budget.first << number, pace or check.subject.batches.pace)
        if trials == 0:
            break
        start, before = time.monotonic(), check.subject.trials
        for group in groups.values():
            _see(check, group, trials)
        pace = (time.monotonic() - start) / max(check.subject.trials - before, 1)
        findings = [finding for watch in check.watches.values() for finding in alarms(check, watch)]
        if findings:
            return telling(findings)
    return alarm_together(check)


def _see(check: Check, group: list[Watch], trials: int) -> None:
    problems = [batched for watch in group if (batched := watch.problem.batched) is not None]
    alone = trials // 2 if len(problems) > 1 else trials
    for watch in group:
        with asked(watch.name):
            for part in calls(check.subject, watch.problem, alone, check.rng):
                watch.see_batch(part, check.rng)
    if len(problems) > 1:
        for index, part in sample_mixed(check.subject, problems, trials - alone, check.rng):
            group[index].see_mixed(part, check.rng)


def _affordable(check: Check, trials: int, pace: float) -> int:
    """Give the trials on each problem that the rounds' time still allows at this pace; 0 if no round is worth it."""
    affordable = int((check.end_of_rounds - time.monotonic()) / (pace * max(len(check.watches), 1)))
    if affordable >= trials:
        return trials
    return affordable if affordable >= 2 else 0
