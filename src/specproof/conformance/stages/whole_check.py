"""The whole check: every stage in turn."""

from __future__ import annotations

from specproof.conformance.arguments import Settings
from specproof.conformance.report.finding import Detector, Finding, broken
from specproof.conformance.report.report import Report
from specproof.conformance.stages.conclusion import conclude
from specproof.conformance.stages.degenerate import run_degenerate_problems
from specproof.conformance.stages.explanation_of_alarm import explain_alarm
from specproof.conformance.stages.few_trials import run_small_batches
from specproof.conformance.stages.first_calls import call_every_problem
from specproof.conformance.stages.repeated_calls import repeat_calls
from specproof.conformance.stages.rounds import run_rounds
from specproof.conformance.stages.state import Check
from specproof.conformance.subject.failures import Crash, InvalidOutput
from specproof.conformance.subject.sampler_under_test import Sampler


def run_check(function: Sampler, name: str, settings: Settings) -> Report:
    """Check a function of this name, and report."""
    check = Check(function, settings)
    explained = explain_alarm(check, _look(check))
    return conclude(check, name, explained)


def _look(check: Check) -> list[Finding]:
    """Find what is wrong; the first stage that finds the contract broken on an ordinary problem is the last."""
    findings: list[Finding] = []
    try:
        call_every_problem(check)
        repeated, small = repeat_calls(check), run_small_batches(check)
        findings += run_rounds(check) or small
        # That rows hardly vary is a part of it if a law is wrong.
        findings += [finding for finding in repeated if not findings or finding.detector is not Detector.ROWS]
    except (Crash, InvalidOutput) as error:
        where = f"on '{error.problem}'" if error.problem else "on ordinary problems"
        findings.append(broken(error, where, Detector.OUTPUT, error.problem))
    else:
        findings += run_degenerate_problems(check)
    return findings
