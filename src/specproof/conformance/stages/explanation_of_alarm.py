"""The seventh stage: why the first alarm of a law was given."""

from __future__ import annotations

from specproof.conformance.evidence.small_batches import SINGLE, Place
from specproof.conformance.explanation.case import Case
from specproof.conformance.explanation.explain import Explanation, explain_batches, explain_small
from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.conformance.stages.few_trials import small_alarms
from specproof.conformance.stages.state import END, Check

SELF_EXPLANATORY = (Detector.UNIFORMS, Detector.ROWS, Detector.BESIDE)
"""What these detectors see says already what is wrong."""


def explain_alarm(check: Check, findings: list[Finding]) -> Explanation:
    """Explain the first alarm of a law, if there is one."""
    biased = (finding for finding in findings if finding.verdict is Verdict.BIASED)
    alarm = next((finding for finding in biased if finding.detector not in SELF_EXPLANATORY), None)
    if alarm is None:
        return Explanation(findings, check.instance, None)
    watch = (check.watches | check.degenerate)[alarm.problem]
    others = [other for other in check.watches.values() if other is not watch]
    if check.remembers:  # what the trials of different calls say together has no law, and batches explain nothing
        text = f"{check.remembers}; whether that is why a law is wrong is left open"
        remembers = Finding(Verdict.BIASED, Detector.CALLS, alarm.problem, text)
        check.notes.remove(check.remembers)
        return Explanation([remembers, *findings], None, None)
    small = small_alarms(check)
    single = [finding for kind, finding in small if kind == SINGLE]
    case = Case(
        check.subject, watch, others, check.settings.level, check.rng, check.after(END), check.budget.candidates, single
    )
    if alarm.detector is Detector.SMALL_BATCHES:
        kind = small[0][0]
        if isinstance(kind, Place):  # what is wrong in one row says the rest already
            return Explanation(findings, None, None)
        return explain_small(case, findings, kind, check.small.law_of(kind, alarm.problem).counts)
    return explain_batches(case, findings)
