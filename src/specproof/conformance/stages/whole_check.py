"""The whole check: every stage in turn."""

from __future__ import annotations

from collections.abc import Callable

from specproof.conformance.arguments import Settings
from specproof.conformance.explanation.explain import Explanation
from specproof.conformance.report.finding import Detector, Finding, broken
from specproof.conformance.report.report import Report
from specproof.conformance.stages.beside_degenerate import run_beside_degenerate_rows
from specproof.conformance.stages.conclusion import conclude
from specproof.conformance.stages.declared_loss import excesses
from specproof.conformance.stages.degenerate import run_degenerate_problems
from specproof.conformance.stages.explanation_of_alarm import explain_alarm
from specproof.conformance.stages.few_trials import run_small_batches
from specproof.conformance.stages.first_calls import call_every_problem
from specproof.conformance.stages.repeated_calls import repeat_calls
from specproof.conformance.stages.rounds import run_rounds
from specproof.conformance.stages.state import Check
from specproof.conformance.subject.failures import Crash, InvalidOutput
from specproof.conformance.subject.sampler_under_test import Sampler

EXPLAINING = "explaining what was found"
"""The last stage, of checks that found something."""


def silent(stage: str) -> None:
    """Tell nobody."""


def run_check(function: Sampler, name: str, settings: Settings, progress: Callable[[str], None] = silent) -> Report:
    """Check a function of this name, and report; what comes next is told before each stage."""
    check = Check(function, settings)
    try:
        return _checked(check, name, progress)
    finally:
        check.subject.generators.put_back()


def _checked(check: Check, name: str, progress: Callable[[str], None]) -> Report:
    settings, findings = check.settings, _look(check, progress)
    if settings.within is not None:
        findings = [*excesses(check, settings.within), *findings]
        return conclude(check, name, Explanation(findings, None, None))
    if findings:
        progress(EXPLAINING)
    explained = explain_alarm(check, findings)
    return conclude(check, name, explained)


def _look(check: Check, progress: Callable[[str], None]) -> list[Finding]:
    """Find what is wrong; the first stage that finds the contract broken on an ordinary problem is the last."""
    findings: list[Finding] = []
    try:
        progress("calling every problem")
        call_every_problem(check)
        progress("repeating calls")
        repeated = repeat_calls(check)
        progress("running small batches")
        small = run_small_batches(check)
        if any(finding.detector is Detector.UNIFORMS for finding in repeated):
            small = []  # of calls that share their numbers many small ones say nothing of a law
        progress("running every problem in large batches")
        findings += run_rounds(check) or small
        # That rows hardly vary is a part of it if a law is wrong.
        findings += [finding for finding in repeated if not findings or finding.detector is not Detector.ROWS]
    except (Crash, InvalidOutput) as error:
        where = f"on '{error.problem}'" if error.problem else "on ordinary problems"
        findings.append(broken(error, where, Detector.OUTPUT, error.problem))
    else:
        progress("running degenerate problems")
        findings += run_degenerate_problems(check)
        if not findings:
            progress("running ordinary rows beside degenerate ones")
            findings += run_beside_degenerate_rows(check)
    return findings
