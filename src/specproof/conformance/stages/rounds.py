"""The fourth stage: every problem in large batches, in rounds that double.

A sampler so slow that not even two rounds can be afforded is run sparingly: in equal shares first, and then on the
problems that would tell most of those known defects that are still possible.
"""

from __future__ import annotations

import time
from collections import defaultdict

from specproof.conformance.evidence.known_laws import most_telling
from specproof.conformance.evidence.sampling import calls, sample_mixed
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.report.finding import Finding
from specproof.conformance.stages.alarms import alarm_together, alarms, telling
from specproof.conformance.stages.state import LONG_ROUNDS, Check
from specproof.conformance.subject.failures import asked

EVEN, FURTHER = 2, 10
"""A slow sampler is looked at after each sixth of its trials, two of which all problems share, and then after so many
smaller shares, each on one problem."""
EVENLY = 1 / 3
SPARINGLY = 3
"""So many times the trials of the first round are what two rounds take."""


def run_rounds(check: Check) -> list[Finding]:
    """Run each problem alone and mixed with others of its shape, in doubling rounds until one of them alarms.

    What only all problems together show is told at the end: further rounds may show it on one.

    Raises
    ------
    Crash, InvalidOutput
        If the function breaks its contract.
    """
    pace, most = check.subject.batches.pace, SPARINGLY * check.budget.first
    for number in range(check.budget.rounds):
        trials = _affordable(check, check.budget.first << number, pace, check.end_of_rounds)
        if trials == 0:
            break
        start, before = time.monotonic(), check.subject.trials
        if number == 0 and _affordable(check, most, pace, check.end_of_rounds) < most:
            findings = _run_sparingly(check, _affordable(check, most, pace, check.after(LONG_ROUNDS)))
        else:
            _see_all(check, trials)
            findings = _alarms_alone(check)
        if findings:
            return findings
        pace = (time.monotonic() - start) / max(check.subject.trials - before, 1)  # the first calls may have compiled
    return alarm_together(check)


def _run_sparingly(check: Check, trials: int) -> list[Finding]:
    """Spend so many trials a problem: a third of them evenly, and the others where known defects would tell most."""
    for turn in range(EVEN + FURTHER):
        watch = most_telling(check.watches.values(), check.known_laws) if turn >= EVEN else None
        share = trials * EVENLY / EVEN if turn < EVEN else trials * (1 - EVENLY) / FURTHER
        if watch is None:
            _see_all(check, max(int(share), 1))
        else:
            _see(check, [watch], max(int(share * len(check.watches)), 1))
        if findings := _alarms_alone(check) or alarm_together(check):
            return findings
        if time.monotonic() > check.after(LONG_ROUNDS):
            break
    return []


def _alarms_alone(check: Check) -> list[Finding]:
    return telling([finding for watch in check.watches.values() for finding in alarms(check, watch)])


def _see_all(check: Check, trials: int) -> None:
    groups = defaultdict(list)
    for watch in check.watches.values():
        groups[watch.problem.shape].append(watch)
    for group in groups.values():
        _see(check, group, trials)


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


def _affordable(check: Check, trials: int, pace: float, end: float) -> int:
    """Give the trials on each problem that the time still allows at this pace; 0 if no round is worth it."""
    affordable = int((end - time.monotonic()) / (pace * max(len(check.watches), 1)))
    if affordable >= trials:
        return trials
    return affordable if affordable >= 2 else 0
