"""The fifth stage: degenerate problems, alone in a batch of one and of many."""

from __future__ import annotations

import time
from collections import defaultdict

from specproof.conformance.evidence.sampling import sample
from specproof.conformance.report.finding import Detector, Finding, broken
from specproof.conformance.stages.alarms import alarms, telling
from specproof.conformance.stages.state import END, Check
from specproof.conformance.subject.failures import Crash, Hang, InvalidOutput, Refusal

SHARE = 0.06
"""Degenerate problems have this share of the time limit."""


def run_degenerate_problems(check: Check) -> list[Finding]:
    """Run the degenerate problems; what fails on one of them does not keep the others from being run."""
    findings: list[Finding] = []
    left_out: dict[str, list[str]] = defaultdict(list)
    for name, watch in check.degenerate.items():
        if watch.problem.unusual in check.unsupported:
            continue
        if time.monotonic() > check.after(END):
            check.notes.append(f"no time was left for the degenerate problems from '{name}' on")
            break
        try:
            for trials in (1, degenerate_trials(check)):
                watch.see_batch(sample(check.subject, watch.problem, trials, check.rng), check.rng)
        except Refusal as error:
            left_out[str(error)].append(f"'{name}'")
        except (Crash, InvalidOutput) as error:
            findings.append(broken(error, f"on '{name}'", Detector.DEGENERATE, name))
            if isinstance(error, Hang):
                check.notes.append(f"the degenerate problems after '{name}', on which it hung, were left out")
                break
        findings += telling(alarms(check, watch))
    check.refuse(left_out)
    return findings


def degenerate_trials(check: Check) -> int:
    """Give as many trials as a part of the time allows, for a slow sampler, so that some is left for rows beside."""
    limit = SHARE * check.budget.seconds / (check.subject.batches.pace * len(check.degenerate))
    return max(min(check.budget.degenerate, int(limit)), 1)
