"""What is said about an alarm: its cause if that are batches, the smallest failing problem, and the known defect."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from specproof.conformance.evidence.sampling import joined, sample
from specproof.conformance.evidence.small_batches import Sizes
from specproof.conformance.explanation.case import Case
from specproof.conformance.explanation.cause import Cause, cause_in_batches, cause_in_small_batches
from specproof.conformance.explanation.diagnosis import Observed, diagnose
from specproof.conformance.explanation.failing_instance import Fresh, describe, smallest
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.report.check_result import SHRUNK, Diagnosis, Instance
from specproof.conformance.report.finding import Detector, Finding, Verdict, broken
from specproof.conformance.subject.failures import Crash, InvalidOutput

DIAGNOSTIC_TRIALS = 2**14
"""The diagnosis draws up to so many trials more of every problem."""


class Explanation(NamedTuple):
    """What is said about an alarm."""

    findings: list[Finding]
    instance: Instance | None
    diagnosis: Diagnosis | None
    note: str = ""
    """What is worth a note; empty if nothing is."""


def explain_batches(case: Case, findings: list[Finding]) -> Explanation:
    """Explain an alarm in batches; whatever the function does meanwhile, what is known already is returned."""
    try:
        impossible = case.watch.law.log_value == np.inf
        cause = None if impossible else cause_in_batches(case)
        if not cause:
            return _explain_alone(case, findings, impossible=impossible)
        findings = [_by_batch(case, cause), *_countable(case, findings, cause)]
        fresh = describe(
            case,
            case.watch.problem,
            case.watch.name,
            case.mixed if cause.is_mixed else case.alone(),
            dependent=cause.forbids_counts,
            neighbours=case.mates[1:] if cause.is_mixed else (),
        )
        return Explanation(findings, fresh.shown, None, fresh.doubt)
    except (Crash, InvalidOutput) as error:
        return Explanation([*findings, _broke_later(case, error)], None, None)


def _explain_alone(case: Case, findings: list[Finding], *, impossible: bool) -> Explanation:
    """Explain an alarm that batches need have nothing to do with."""
    fresh, diagnosis = _smallest(case), None
    instance = fresh.shown
    try:
        diagnosis = _diagnose(case, fresh, by_pairs=all(it.detector is Detector.PAIRS for it in findings))
        # What is impossible is wrong whatever else is, but a law explains only trials that have one.
        cause = cause_in_batches(case) if impossible and diagnosis and diagnosis.is_none else None
        if cause:
            findings, diagnosis = [*findings, _by_batch(case, cause)], None
            instance = _uncounted(instance) if cause.forbids_counts else instance
        if instance and instance.total_variation > 0:
            findings = _by_law(findings, instance)
    except (Crash, InvalidOutput) as error:
        findings = [*findings, _broke_later(case, error)]
    return Explanation(findings, instance, diagnosis, fresh.doubt)


def _smallest(case: Case) -> Fresh:
    """Draw afresh on the smallest problem that was found, or on that of the alarm if the other does not fail again."""
    problem = smallest(case)
    if problem is not case.watch.problem:
        fresh = describe(case, problem, SHRUNK, case.alone(problem))
        if fresh.is_convincing:
            return fresh
    return describe(case, case.watch.problem, case.watch.name, case.alone())


def explain_small(case: Case, findings: list[Finding], kind: Sizes, counts: Tokens) -> Explanation:
    """Explain an alarm of small batches of one kind, given at these counts, as :func:`explain_batches` does."""
    try:
        cause, seen = cause_in_small_batches(case, kind, counts)
        if cause:
            findings = [_by_batch(case, cause), *_countable(case, findings, cause)]
        halves = (joined(half) for half in (seen[::2], seen[1::2]))
        batched = case.watch.problem.batched
        fresh = describe(
            case,
            case.watch.problem,
            case.watch.name,
            lambda _: next(halves),
            dependent=cause is not None,
            neighbours=[batched.mirrored] if cause and cause.is_mixed and batched else (),
        )
        return Explanation(findings, fresh.shown, None, fresh.doubt)
    except (Crash, InvalidOutput) as error:
        return Explanation([*findings, _broke_later(case, error)], None, None)


def _uncounted(instance: Instance | None) -> Instance | None:
    """Take back the bound of the distance, which holds for independent trials only."""
    return instance and replace(instance, total_variation=0.0)


def _by_batch(case: Case, cause: Cause) -> Finding:
    text = f"on '{case.watch.name}' {cause.sentence}"
    return Finding(Verdict.BIASED, Detector.BATCH, case.watch.name, text)


def _by_law(findings: list[Finding], instance: Instance) -> list[Finding]:
    """Say of what pairs alone have shown that a law is wrong, where fresh trials refute it: pairs say no more then."""
    if any(it.detector is Detector.LAW for it in findings):
        return findings
    first = next((it for it in findings if it.detector is Detector.PAIRS), None)
    if first is None:
        return findings
    where = "on the failing instance" if instance.name == SHRUNK else f"on '{instance.name}'"
    text = f"{where} the law of the emitted tokens is not the target's, seen in {instance.trials:,} trials"
    others = [it for it in findings if it.detector is not Detector.PAIRS]
    return [Finding(Verdict.BIASED, Detector.LAW, first.problem, text), *others]


def _countable(case: Case, findings: list[Finding], cause: Cause) -> list[Finding]:
    """Keep what holds given the cause: laws and proofs from counts of a batch hold for independent trials only."""
    if not cause.forbids_counts:
        return findings
    counted = (Detector.LAW, Detector.ACCEPTANCE, Detector.SMALL_BATCHES)
    return [*(finding for finding in findings if finding.detector not in counted), *case.single]


def _broke_later(case: Case, error: Crash | InvalidOutput) -> Finding:
    where = f"on '{case.watch.name}', looked at again after the alarm"
    return broken(error, where, Detector.OUTPUT, case.watch.name)


def _diagnose(case: Case, fresh: Fresh, *, by_pairs: bool) -> Diagnosis | None:
    """Compare with the catalogue what was emitted on every problem, and some more of it, as time allows.

    What pairs alone show may be a dependence, which no law explains: then the law has to be refuted too.
    """
    from specproof.conformance.defects import DEFECTS

    observed, watches = [], (case.watch, *case.others)
    for watch in watches:
        trials = min(DIAGNOSTIC_TRIALS, case.affordable(0.5 / len(watches)))
        if time.monotonic() < case.deadline:
            watch.see(sample(case.subject, watch.problem, trials, case.rng))
        again = fresh.emitted if fresh.instance.problem is watch.problem else 0
        if watch.emitted.any():
            observed.append(Observed(watch.problem, watch.emitted + again, f"'{watch.name}'"))
    if by_pairs and max(watch.law.log_value for watch in watches) < np.log(len(watches) / case.level):
        return None
    if fresh.instance.name == SHRUNK:
        observed.append(Observed(fresh.instance.problem, fresh.emitted, "the failing instance"))
    return diagnose(observed, DEFECTS)
