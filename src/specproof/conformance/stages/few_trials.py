"""The third stage: batches of one, two, three and some more trials, as engines often run."""

from __future__ import annotations

from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.conformance.stages.state import SMALL, Check


def run_small_batches(check: Check) -> list[Finding]:
    """Run small batches of two problems in turn.

    Raises
    ------
    Crash, InvalidOutput
        If the function breaks its contract.
    """
    names = [name for name in check.small_names if name in check.watches]
    check.small.run(check.subject, names, check.budget.small, check.after(SMALL), check.rng)
    return [finding for _, finding in small_alarms(check)]


def small_alarms(check: Check) -> list[tuple[str, Finding]]:
    """Say what is wrong in small batches, and of which kind these are."""
    return [
        (
            kind,
            Finding(
                Verdict.BIASED,
                Detector.SMALL_BATCHES,
                name,
                f"on '{name}' the law is wrong in batches of {kind}, seen in {law.trials:,} trials",
            ),
        )
        for (kind, name), law in check.small.evidence.items()
        if check.is_alarm(law.log_value)
    ]
