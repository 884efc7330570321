"""The last stage: the verdict, what is worth a note, and what could have been detected."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from dataclasses import replace

import numpy as np

from specproof.conformance.evidence.pooled import PooledEvidence
from specproof.conformance.explanation.explain import Explanation
from specproof.conformance.report.check_result import Acceptance
from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.conformance.report.report import Report
from specproof.conformance.stages.declared_loss import largest_bias
from specproof.conformance.stages.state import Check
from specproof.simulations.statistics import binomial_interval

INCONCLUSIVE_FROM = 0.2
"""A check that could not detect a bias of this total variation, for want of time or by its budget, is inconclusive."""


def conclude(check: Check, name: str, explained: Explanation) -> Report:
    """Report on a function of this name."""
    findings, acceptance = explained.findings, _acceptance(check)
    _note_manners(check)
    if not findings and check.settings.within is None:
        _note_slowness(check, acceptance)
    biases = [(watch.detectable_bias(check.share), problem) for problem, watch in check.watches.items()]
    bias, hardest = max(biases, default=(math.inf, ""))
    within, at_most = check.settings.within, 1.0
    if within is not None:
        at_most, hardest = largest_bias(check)
    return Report(
        subject=name,
        contract=check.settings.contract,
        verdict=findings[0].verdict if findings else _verdict(bias, within, at_most),
        findings=tuple(_summed(findings)),
        notes=(*check.notes, *filter(None, [explained.note])),
        instance=explained.instance,
        acceptance=tuple(acceptance),
        diagnosis=explained.diagnosis,
        detectable_bias=bias,
        hardest=hardest,
        detectable_bias_on_all_problems=PooledEvidence(check.watches.values()).detectable_bias(check.share_together),
        problems_in_small_batches=check.small.asked,
        detectable_bias_in_small_batches=check.small.detectable_bias(check.share),
        detectable_bias_on_degenerate_problems=_on_degenerate_problems(check),
        within=within,
        bias_at_most=at_most,
        reproducible=check.reproducible,
        level=check.settings.level,
        trials=check.subject.trials,
        calls=check.subject.calls,
        seed=check.settings.seed,
        seconds=time.monotonic() - check.began,
    )


def _verdict(detectable_bias: float, within: float | None, at_most: float) -> Verdict:
    if within is not None:
        return Verdict.WITHIN if at_most <= within else Verdict.INCONCLUSIVE
    return Verdict.INCONCLUSIVE if detectable_bias > INCONCLUSIVE_FROM else Verdict.LOSSLESS


def _on_degenerate_problems(check: Check) -> float:
    """Give the bias that would have been detected on degenerate problems, those with more than one outcome."""
    laws = [watch.law for watch in check.degenerate.values() if np.sum(watch.law.law > 0) > 1]
    return max((law.detectable_bias(check.share) for law in laws), default=math.inf)


def _acceptance(check: Check) -> list[Acceptance]:
    rows = []
    looks = max(check.budget.rounds, 1) * max(len(check.watches), 1)
    for name, watch in check.watches.items():
        if watch.acceptance and watch.acceptance[0].trials:
            seen = watch.acceptance[0]
            low, high = binomial_interval(seen.successes, seen.trials, check.settings.level / looks)
            rows.append(Acceptance(name, seen.successes / seen.trials, low, high, seen.bound, seen.trials))
    return rows


def _note_manners(check: Check) -> None:
    if check.subject.changes_inputs:
        check.notes.append("it changes its inputs in place: whoever reads them afterwards reads something else")
    surroundings = check.subject.surroundings
    if surroundings.changed:
        *more, last = surroundings.changed
        changed = f"{', '.join(more)} and {last}" if more else last
        check.notes.append(f"it changes {changed}, which was put back after each call")
    if threads := surroundings.new_threads():
        alive = "1 is" if threads == 1 else f"{threads} are"
        check.notes.append(f"it leaves threads behind: {alive} still alive after its calls")
    if processes := surroundings.new_processes():
        run = "1 still runs or was never" if processes == 1 else f"{processes} still run or were never"
        check.notes.append(f"it leaves processes behind: {run} waited for")
    check.subject.generators.put_back()
    if used := check.subject.generators.used:
        check.notes.append(
            f"it uses the global {'generators' if len(used) > 1 else 'generator'} of {' and '.join(used)}, "
            "put back after the check: all randomness has to come from rng"
        )
    if check.subject.printed:
        check.notes.append(f"it prints {check.subject.printed} bytes, the first of them: {check.subject.first_printed}")


def _note_slowness(check: Check, acceptance: list[Acceptance]) -> None:
    below = [row for row in acceptance if row.is_slow]
    if below:
        worst = min(below, key=lambda row: row.measured / row.bound)
        check.notes.append(
            f"it accepts less than a lossless sampler can: {worst.measured:.3f} of {worst.bound:.3f} "
            f"on '{worst.problem}'; if its law is the target's, that costs nothing but speed"
        )
    elif later := _slow_later(check):
        check.notes.append(later)


def _slow_later(check: Check) -> str:
    """Say where more than one draft is accepted less often than by a known lossless rule; nothing if nowhere."""
    looks = max(check.budget.rounds, 1) * max(sum(len(watch.acceptance) for watch in check.watches.values()), 1)
    found = []
    for name, watch in check.watches.items():
        kept = watch.problem.plain_acceptances
        for index, (seen, known) in enumerate(zip(watch.acceptance, kept, strict=False)):
            if index and seen.trials:
                _, high = binomial_interval(seen.successes, seen.trials, check.settings.level / looks)
                if high < known:
                    found.append((seen.successes / seen.trials / known, name, index, known))
    if not found:
        return ""
    share, name, index, known = min(found)
    event = check.watches[name].problem.acceptance_event(index)
    return (
        f"on '{name}' {event} in {share * known:.3f} of the trials, by the plain rule in {known:.3f}; if its law is "
        "the target's, that costs nothing but speed"
    )


def _summed(findings: list[Finding]) -> list[Finding]:
    """Keep one finding for each detector and meaning: the first, with the number of further problems."""
    groups: dict[tuple[Verdict, Detector], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.verdict, finding.detector].append(finding)
    return [replace(first, text=first.text + _likewise(len(more))) for first, *more in groups.values()]


def _likewise(more: int) -> str:
    if more == 0:
        return ""
    return "; likewise on one more problem" if more == 1 else f"; likewise on {more} more problems"
