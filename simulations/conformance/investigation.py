"""After an alarm: where it comes from, the smallest problem that shows it, how large it is, and which defect it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from simulations.conformance.diagnosis import Observed, diagnose
from simulations.conformance.problems import GenerateProblem, Problem
from simulations.conformance.report import Diagnosis, Finding, Instance, Verdict
from simulations.conformance.runner import Crash, InvalidOutput, Subject
from simulations.conformance.sampling import VerifierProblem, Watch, frequencies, outcome_name, sample, sample_mixed
from simulations.conformance.sequential import LawEvidence, total_variation_bound
from simulations.conformance.shrink import shrink

MOST_TRIALS = 2**17
FIRST_LOOK = 64
MOST_SINGLES = 4000
"""Batches of one are slow: a fault that takes at most this many of them to see may be one of batches."""
SINGLES = 4
"""Batches of one for each trial that a batch of many took to convince: enough to see a fault that is in each trial."""
DIAGNOSTIC_TRIALS = 2**14
CONVINCING = float(np.log(1e6))
"""Evidence asked for on a smaller problem. The alarm has been given already; this only says which problem shows it."""
SHOWN = 4
"""Outcomes in the report."""


class Explanation(NamedTuple):
    """What is said about an alarm."""

    findings: list[Finding]
    instance: Instance | None
    diagnosis: Diagnosis | None


def investigate(
    subject: Subject,
    watches: Sequence[Watch],
    findings: list[Finding],
    level: float,
    rng: np.random.Generator,
    seconds: float,
) -> Explanation:
    """Explain the alarm of the first of the watches; the others are what else it was tried on."""
    deadline = time.monotonic() + seconds
    watch, problem, name = watches[0], watches[0].problem, watches[0].name
    needed = min(max(4 * watch.law.trials, 4000), MOST_TRIALS)
    mates = [other for other in watches if other.problem.shape == problem.shape and other.problem is not problem]

    def fails(candidate: Problem) -> bool:
        return _convinced_after(subject, candidate, needed, rng, deadline) is not None

    batch = None
    convinced = _convinced_after(subject, problem, needed, rng, deadline)
    if convinced is not None:
        singles = SINGLES * convinced
        if singles <= MOST_SINGLES and _is_right_one_by_one(subject, problem, singles, rng, deadline):
            batch = "the law is wrong in a batch and was not seen wrong in batches of one: its trials share something"
        else:
            problem = shrink(problem, fails, 0.5 * (deadline - time.monotonic()), int(rng.integers(2**31)))
            name = watch.name if problem is watch.problem else "found by shrinking"
    elif mates and not isinstance(problem, GenerateProblem) and findings[0].detector == "law":
        batch = "the law is wrong in a batch of different problems and was not seen wrong alone: rows are mixed up"
    if batch:
        findings = [Finding(Verdict.BIASED, "batch", watch.name, f"on '{watch.name}' {batch}"), *findings]
    mixed = [w.problem for w in (watch, *mates) if not isinstance(w.problem, GenerateProblem)]
    mixed = mixed if batch and "different" in batch else []
    instance = diagnosis = None
    try:
        instance = _describe(subject, problem, name, mixed, needed, level, rng)
        if batch and not mixed:  # no bound: the trials of a batch are not independent
            instance = replace(instance, total_variation=0.0)
        diagnosis = None if batch else _diagnose(subject, watches, rng, deadline)
    except (Crash, InvalidOutput) as error:
        findings = [
            *findings,
            broken(error, f"on '{watch.name}', looked at again after the alarm", "output", watch.name),
        ]
    return Explanation(findings, instance, diagnosis)


def broken(error: Crash | InvalidOutput, where: str, detector: str, problem: str) -> Finding:
    """What an exception of :mod:`simulations.conformance.runner` says about the function."""
    return Finding(
        Verdict.CRASHES if isinstance(error, Crash) else Verdict.INVALID, detector, problem, f"{where}: {error}"
    )


def _convinced_after(
    subject: Subject, problem: Problem, trials: int, rng: np.random.Generator, deadline: float
) -> int | None:
    """How many trials of a problem alone convince, looked at as they double; None if not so many do."""
    evidence = LawEvidence(problem.target_law.reshape(-1), problem.draft_law.reshape(-1))
    size = min(FIRST_LOOK, trials)
    while evidence.trials < trials and time.monotonic() < deadline:
        try:
            evidence.add(sample(subject, problem, size, rng).completed)
        except (Crash, InvalidOutput):
            return None
        if evidence.log_value >= CONVINCING:
            return evidence.trials
        size = min(evidence.trials, trials - evidence.trials)
    return None


def _is_right_one_by_one(
    subject: Subject, problem: Problem, trials: int, rng: np.random.Generator, deadline: float
) -> bool:
    evidence = LawEvidence(problem.target_law.reshape(-1), problem.draft_law.reshape(-1))
    for done in range(trials):
        if time.monotonic() >= deadline or (done % 100 == 0 and evidence.log_value >= CONVINCING):
            return False
        try:
            evidence.add(sample(subject, problem, 1, rng).completed)
        except (Crash, InvalidOutput):
            return False
    return evidence.log_value < CONVINCING


def _describe(
    subject: Subject,
    problem: Problem,
    name: str,
    mixed: Sequence[VerifierProblem],
    trials: int,
    level: float,
    rng: np.random.Generator,
) -> Instance:
    """Draw afresh, among ``mixed`` if there are any, and say what differs most; two halves bound the distance."""
    law = problem.target_law.reshape(-1)
    halves = []
    for _ in range(2):
        if mixed:
            parts = sample_mixed(subject, mixed, trials, rng)
            drawn = np.concatenate([part.completed for index, part in parts if index == 0])
        else:
            drawn = sample(subject, problem, trials, rng).completed
        halves.append(np.bincount(drawn, minlength=law.size))
    observed = frequencies(halves[0] + halves[1])
    order = np.argsort(-np.abs(observed - law), kind="stable")[:SHOWN]
    shown = [outcome for outcome in order if law[outcome] or observed[outcome]]
    return Instance(
        problem,
        name,
        int(sum(half.sum() for half in halves)),
        {outcome_name(problem, int(i)): float(law[i]) for i in shown},
        {outcome_name(problem, int(i)): float(observed[i]) for i in shown},
        total_variation_bound(halves[0], halves[1], law, level),
    )


def _diagnose(
    subject: Subject, watches: Sequence[Watch], rng: np.random.Generator, deadline: float
) -> Diagnosis | None:
    """Compare with the catalogue what was emitted on every problem, and some more of it, as time allows."""
    from simulations.conformance.defects import DEFECTS

    observed = []
    for watch in watches:
        if time.monotonic() < deadline:
            watch.see(sample(subject, watch.problem, DIAGNOSTIC_TRIALS, rng), adjacent=False)
        if watch.emitted.any():
            observed.append(Observed(watch.problem, watch.emitted))
    return diagnose(observed, DEFECTS)
