"""From the evidence on a problem to findings."""

from __future__ import annotations

from specproof.conformance.evidence.known_laws import log_value_of_known
from specproof.conformance.evidence.pooled import PooledEvidence
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.conformance.stages.state import Check

TELLING = (Detector.LAW, Detector.ACCEPTANCE, Detector.PAIRS)
"""What sees a wrong law, the most telling first."""


def alarms(check: Check, watch: Watch) -> list[Finding]:
    """Say what the evidence on a problem refutes."""
    return [
        Finding(_meaning(check, watch, detector), detector, watch.name, _sentence(watch, detector))
        for detector, value in watch.log_values().items()
        if check.is_alarm(value)
    ]


def alarm_together(check: Check) -> list[Finding]:
    """Say what all problems together refute, and on which of them it shows most."""
    watches = check.watches.values()
    values = PooledEvidence(watches).log_value, log_value_of_known(watches, check.known_laws)
    if not any(map(check.is_alarm_together, values)):
        return []
    watch = max(check.watches.values(), key=lambda watch: watch.log_values()[Detector.LAW])
    trials = sum(watch.law.trials for watch in check.watches.values())
    text = (
        f"on all problems together the law of the emitted tokens is not the target's, seen in {trials:,} trials, most "
        f"of all on '{watch.name}'"
    )
    return [Finding(Verdict.BIASED, Detector.LAW, watch.name, text)]


def telling(findings: list[Finding]) -> list[Finding]:
    """Put the most telling first; pairs say nothing more if a law is wrong already."""
    found = sorted(findings, key=lambda finding: TELLING.index(finding.detector))
    return [it for it in found if it.detector is not Detector.PAIRS or found[0].detector is not Detector.LAW]


def _meaning(check: Check, watch: Watch, detector: Detector) -> Verdict:
    impossible = detector is Detector.LAW and watch.law.log_value == float("inf")
    return Verdict.INVALID if impossible and watch.name in check.degenerate else Verdict.BIASED


def _sentence(watch: Watch, detector: Detector) -> str:
    trials = f"{watch.law.trials:,} trials"
    if detector is Detector.ACCEPTANCE:
        index, seen = max(enumerate(watch.acceptance), key=lambda item: item[1].log_value)
        share = f"{seen.successes / seen.trials:.4f} of {trials}"
        event = watch.problem.acceptance_event(index)
        return f"on '{watch.name}' {event} in {share}: no lossless sampler exceeds {seen.bound:.4f}"
    if detector is Detector.PAIRS:
        return f"on '{watch.name}' pairs of trials of a batch do not have the law of two target draws, seen in {trials}"
    if watch.law.log_value == float("inf"):
        return f"on '{watch.name}' a token of target probability 0, up to underflow, was emitted, seen in {trials}"
    return f"on '{watch.name}' the law of the emitted tokens is not the target's, seen in {trials}"
