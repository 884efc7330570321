"""The second stage: whether all randomness comes from the generator that the function is handed."""

from __future__ import annotations

import time

from specproof.conformance.contract import Contract
from specproof.conformance.evidence.streams import (
    REPEATED,
    STREAMS,
    Repetition,
    Streams,
    repetition,
    rows_follow_seeds,
)
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.conformance.stages.state import ROUNDS, Check
from specproof.conformance.subject.sampler_under_test import BATCH

FAULTS = {
    Repetition.REMEMBERS: (
        Detector.CALLS,
        "the output depends on the calls before: the same inputs and rng give the same after the same call, and "
        "another after one of other inputs",
    ),
    Repetition.ELSEWHERE: (
        Detector.SEED,
        "the same inputs and the same rng give different output: it draws from elsewhere, counts its "
        "calls, or its threads draw in another order",
    ),
}
"""What is said of a function whose output is not repeated, and what saw it."""
UNSEEDED = "rows do not follow their seeds: the same seeds give other texts in other places or beside fewer rows"
"""What is said of a loop whose rows have seeds and go by something else."""
REPEATING = 0.03
"""Repeating may take this share of the time limit, twice."""


def repeat_calls(check: Check) -> list[Finding]:
    """Run the same inputs with the same generator twice, on a small and on the last problem, and with many others.

    Raises
    ------
    Crash, InvalidOutput
        If the function breaks its contract.
    """
    if not check.watches or time.monotonic() > check.after(ROUNDS):
        return []
    watches = list(check.watches.values())
    tried = [watch for watch in watches if not watch.problem.unusual] or watches
    example, last = next((watch for watch in tried if watch.problem.num_tokens == 3), tried[0]), tried[-1]
    trials = max(min(_affordable(check) // 4, REPEATED), 1)
    sizes = ((example.problem, trials), (last.problem, min(trials, BATCH)))
    for problem, size in sizes:
        found = repetition(check.subject, problem, size, check.rng)
        if found is Repetition.SAME:
            continue
        detector, text = FAULTS[found]
        check.reproducible, check.remembers = False, text if found is Repetition.REMEMBERS else ""
        check.notes.append(text)
        return [Finding(Verdict.INVALID, detector, "", text)] if check.settings.require_seed else []
    if _has_seeds(check) and not rows_follow_seeds(check.subject, example.problem, trials, check.rng):
        check.reproducible = False
        check.notes.append(UNSEEDED)
        return [Finding(Verdict.INVALID, Detector.SEED, "", UNSEEDED)] if check.settings.require_seed else []
    streams = min(_affordable(check) // REPEATED, STREAMS)
    return _other_generators(check, example, streams) if streams > 1 else []


def _has_seeds(check: Check) -> bool:
    return check.settings.contract is Contract.GENERATE and check.subject.takes(frozenset({"seeds"}))


def _other_generators(check: Check, example: Watch, number: int) -> list[Finding]:
    streams = Streams(check.subject, example.problem, number, check.rng)
    within = check.settings.within is not None
    if fault := streams.drawn_without() if within else streams.shared():
        return [Finding(Verdict.BIASED, Detector.UNIFORMS, example.name, fault)]
    if within:  # what follows refutes the target's law
        return []
    fault = streams.unused(check.share)
    return [Finding(Verdict.BIASED, Detector.ROWS, example.name, fault)] if fault else []


def _affordable(check: Check) -> int:
    """Give the number of trials that there is time to repeat, as far as is known."""
    return max(int(REPEATING * check.budget.seconds / check.subject.batches.pace), 1)
