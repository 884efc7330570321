"""The seventh stage: why the first alarm of a law was given."""

from __future__ import annotations

import contextlib

from specproof.conformance.evidence.sampling import largest_call
from specproof.conformance.evidence.small_batches import SINGLE, Place
from specproof.conformance.evidence.streams import REPEATED, Repetition, remembers_larger_calls
from specproof.conformance.explanation.case import Case
from specproof.conformance.explanation.explain import Explanation, explain_batches, explain_small
from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.conformance.stages.few_trials import small_alarms
from specproof.conformance.stages.repeated_calls import FAULTS
from specproof.conformance.stages.state import END, Check
from specproof.conformance.subject.failures import Crash, InvalidOutput

SELF_EXPLANATORY = (Detector.UNIFORMS, Detector.ROWS, Detector.BESIDE)
"""What these detectors see says already what is wrong."""
LARGER = 0.3
"""A call of more trials than any before is made where it takes at most this share of the time that is left."""


def explain_alarm(check: Check, findings: list[Finding]) -> Explanation:
    """Explain the first alarm of a law, if there is one."""
    biased = (finding for finding in findings if finding.verdict is Verdict.BIASED)
    alarm = next((finding for finding in biased if finding.detector not in SELF_EXPLANATORY), None)
    if alarm is None:
        return Explanation(findings, check.instance, None)
    watch = (check.watches | check.degenerate)[alarm.problem]
    others = [other for other in check.watches.values() if other is not watch]
    if check.remembers:
        check.notes.remove(check.remembers)
        return Explanation([_by_calls(check.remembers, alarm), *findings], None, None)
    small = small_alarms(check)
    single = [finding for kind, finding in small if kind == SINGLE]
    case = Case(
        check.subject, watch, others, check.settings.level, check.rng, check.after(END), check.budget.candidates, single
    )
    if check.reproducible and _remembers_larger_calls(case):  # else two calls may differ for no call between them
        check.reproducible, place = False, findings.index(alarm)
        by_calls = _by_calls(FAULTS[Repetition.REMEMBERS][1], alarm)
        return Explanation([*findings[:place], by_calls, *findings[place:]], None, None)
    if alarm.detector is Detector.SMALL_BATCHES:
        kind = small[0][0]
        if isinstance(kind, Place):  # what is wrong in one row says the rest already
            return Explanation(findings, None, None)
        return explain_small(case, findings, kind, check.small.law_of(kind, alarm.problem).counts)
    return explain_batches(case, findings)


def _by_calls(text: str, alarm: Finding) -> Finding:
    """Say that calls depend on each other: their trials together have no law, and batches explain nothing."""
    text = f"{text}; whether that is why a law is wrong is left open"
    return Finding(Verdict.BIASED, Detector.CALLS, alarm.problem, text)


def _remembers_larger_calls(case: Case) -> bool:
    """Whether the output on the problem of the alarm depends on a larger call before; False where time is short."""
    if case.affordable(LARGER) <= largest_call(case.subject):
        return False
    trials, rng = max(min(REPEATED, largest_call(case.subject) // 2), 1), case.rng.spawn(1)[0]
    with contextlib.suppress(Crash, InvalidOutput):  # what breaks is told when the alarm is looked at again
        return remembers_larger_calls(case.subject, case.watch.problem, trials, rng)
    return False
