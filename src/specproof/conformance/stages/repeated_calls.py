"""The second stage: whether all randomness comes from the generator that the function is handed."""

from __future__ import annotations

import time

from specproof.conformance.evidence.streams import REPEATED, STREAMS, Streams, is_repeatable
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.conformance.stages.state import ROUNDS, Check
from specproof.conformance.subject.sampler_under_test import BATCH

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
    tried = list(check.watches.values())
    example, last = next((watch for watch in tried if watch.problem.num_tokens == 3), tried[0]), tried[-1]
    trials = min(_affordable(check), REPEATED)
    sizes = ((example.problem, trials), (last.problem, min(trials, BATCH)))
    check.reproducible = all(is_repeatable(check.subject, problem, size, check.rng) for problem, size in sizes)
    if not check.reproducible:
        text = "the same inputs and the same rng give different output: it draws from elsewhere"
        check.notes.append(text)
        return [Finding(Verdict.INVALID, Detector.SEED, "", text)] if check.settings.require_seed else []
    if check.settings.within is not None:  # what follows refutes the target's law
        return []
    streams = min(_affordable(check) // REPEATED, STREAMS)
    return _other_generators(check, example, streams) if streams > 1 else []


def _other_generators(check: Check, example: Watch, number: int) -> list[Finding]:
    streams = Streams(check.subject, example.problem, number, check.rng)
    if fault := streams.shared():
        return [Finding(Verdict.BIASED, Detector.UNIFORMS, example.name, fault)]
    fault = streams.unused(check.share)
    return [Finding(Verdict.BIASED, Detector.ROWS, example.name, fault)] if fault else []


def _affordable(check: Check) -> int:
    """Give the number of trials that there is time to repeat, as far as is known."""
    return max(int(REPEATING * check.budget.seconds / check.subject.batches.pace), 1)
