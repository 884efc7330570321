"""After an alarm: where it comes from, the smallest problem that shows it, how large it is, and which defect it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second
from numpy.typing import NDArray

from simulations.conformance.dependence import are_dependent
from simulations.conformance.diagnosis import Observed, diagnose
from simulations.conformance.problems import GenerateProblem, Problem, Tokens
from simulations.conformance.report import Diagnosis, Finding, Instance, Verdict
from simulations.conformance.runner import BATCH, Crash, InvalidOutput, Refusal, Subject
from simulations.conformance.sampling import (
    LARGEST_CALL,
    VerifierProblem,
    Watch,
    calls,
    frequencies,
    outcome_name,
    sample,
    sample_call,
    sample_mixed,
    sample_singly,
)
from simulations.conformance.sequential import LawEvidence, total_variation_bound
from simulations.conformance.shrink import shrink
from simulations.conformance.small import size_of

FEWEST, MOST = 4000, 2**20
"""Trials of a problem that is looked at again: four times as many as gave the alarm, within these and the time left."""
FIRST_LOOK = 64
LEAST_SECONDS = 0.1
"""Time for each step of the investigation, also when it is late."""
SINGLES, FEWEST_SINGLES = 1000, 64
"""Batches of one against which batches of many are held; no fewer than these however little time is left."""
MOST_SMALL = 4000
"""Small batches that are looked at again."""
CALLS = 32
"""Calls of each kind in which batches of different problems are held against those of one."""
CONTRAST = 1e-6
"""The chance that a sampler whose trials are independent, and of one law in any batch, is said to fail by its batches.

Shared evenly by three: batches of different problems against those of one, call by call; trials of a batch against each
other; and batches against single trials. Batches are compared by how often they have the outcomes that came too often
when the alarm was given. What is compared is drawn afresh, so that choice is free.
"""
DIAGNOSTIC_TRIALS = 2**14
CONVINCING = float(np.log(1e6))
"""Evidence asked for on a smaller problem. The alarm has been given already; this only says which problem shows it."""
SHOWN = 4
"""Outcomes in the report."""
MIXED_UP = "the law in batches of different problems is another than alone: rows are mixed up"
DEPENDENT = "the trials of a batch depend on each other, which leaves open what the law of each is"
ANOTHER = "the law in batches is another than one trial at a time"


class Explanation(NamedTuple):
    """What is said about an alarm."""

    findings: list[Finding]
    instance: Instance | None
    diagnosis: Diagnosis | None


@dataclass(frozen=True)
class Case:
    """A function that alarmed on one problem, the other problems it was tried on, and the time there is to look."""

    subject: Subject
    watch: Watch
    others: Sequence[Watch]
    level: float
    rng: np.random.Generator
    deadline: float
    single: Sequence[Finding] = ()
    """What was wrong one trial at a time."""

    @property
    def mates(self) -> list[VerifierProblem]:
        """The problem and others of its shape, which fit into one batch."""
        watches = [self.watch, *(other for other in self.others if other.problem.shape == self.watch.problem.shape)]
        return [watch.problem for watch in watches if not isinstance(watch.problem, GenerateProblem)]

    def seconds(self, share: float) -> float:
        """A share of the time left, but enough for a fast function on a busy machine."""
        return max(share * (self.deadline - time.monotonic()), LEAST_SECONDS)

    def affordable(self, share: float) -> int:
        """Trials of batches that a share of the time left allows."""
        return max(int(self.seconds(share) / self.subject.batches.pace), FIRST_LOOK)

    def trials(self, share: float) -> int:
        """Trials for a second look."""
        return min(max(4 * self.watch.law.trials, FEWEST), MOST, self.affordable(share))


def broken(error: Crash | InvalidOutput, where: str, detector: str, problem: str) -> Finding:
    """What an exception of :mod:`simulations.conformance.runner` says about the function."""
    verdict = Verdict.CRASHES if isinstance(error, Crash) else Verdict.INVALID
    changed_mind = "; it took the problem before: an adapter of one trial a call loops over the n trials"
    return Finding(verdict, detector, problem, f"{where}: {error}{changed_mind * isinstance(error, Refusal)}")


def investigate(case: Case, findings: list[Finding], alarm: Finding) -> Explanation:
    """Explain an alarm in batches; whatever the function does meanwhile, what is known already is returned."""
    instance = diagnosis = None
    name = case.watch.name
    try:
        cause = DEPENDENT if alarm.detector == "neighbours" else "" if _is_impossible(case) else _batch_cause(case)
        if cause == DEPENDENT:
            # Bounds and proofs from counts of trials hold for independent ones only.
            held = [finding for finding in findings if finding.detector not in ("law", "acceptance")]
            own = [Finding(Verdict.BIASED, "batch", name, f"on '{name}' {cause}")] * (alarm.detector != "neighbours")
            findings = [*own, *held, *case.single]
            instance = replace(_describe(case, case.watch.problem, name, _alone(case)), total_variation=0.0)
        elif cause:
            findings = [Finding(Verdict.BIASED, "batch", name, f"on '{name}' {cause}"), *findings]
            instance = _describe(case, case.watch.problem, name, _mixed(case) if cause == MIXED_UP else _alone(case))
        else:
            problem = _smallest(case)
            name = case.watch.name if problem is case.watch.problem else "found by shrinking"
            instance = _describe(case, problem, name, _alone(case, problem))
            diagnosis = _diagnose(case)
    except (Crash, InvalidOutput) as error:
        findings = [*findings, _broke_later(case, error)]
    return Explanation(findings, instance, diagnosis)


def explain_small(case: Case, findings: list[Finding], kind: str) -> Explanation:
    """Show an alarm of small batches of one kind."""
    problem, instance = case.watch.problem, None

    def draw(trials: int) -> Tokens:
        parts: list[Tokens] = []
        stop = time.monotonic() + case.seconds(0.4)
        while not parts or (len(parts) < MOST_SMALL and sum(map(len, parts)) < trials and time.monotonic() < stop):
            size = size_of(kind, case.subject, case.rng)
            parts.append(sample_call(case.subject, problem, size, case.rng).completed)
        return np.concatenate(parts)

    try:
        instance = _describe(case, problem, case.watch.name, draw)
    except (Crash, InvalidOutput) as error:
        findings = [*findings, _broke_later(case, error)]
    return Explanation(findings, instance, None)


def _broke_later(case: Case, error: Crash | InvalidOutput) -> Finding:
    return broken(error, f"on '{case.watch.name}', looked at again after the alarm", "output", case.watch.name)


def _is_impossible(case: Case) -> bool:
    """Whether something was seen that has probability 0, however trials depend on each other."""
    return max(case.watch.log_values().values()) == float("inf")


def _batch_cause(case: Case) -> str:
    """What batches have to do with it, if the data themselves refute that they have nothing to do with it."""
    law, mixed = case.watch.law.law, case.watch.mixed
    counts = case.watch.law.counts - mixed
    if len(case.mates) > 1 and _is_mixed_up(case, mixed > mixed.sum() * law):
        return MIXED_UP
    calls_of_one = [sample_call(case.subject, case.watch.problem, _call_size(case), case.rng) for _ in range(CALLS)]
    batches = [(each.first, each.completed) for each in calls_of_one]
    if are_dependent(batches, case.watch.problem.num_tokens, CONTRAST / 3):
        return DEPENDENT
    if _is_another(case, counts > counts.sum() * law, np.concatenate([each.completed for each in calls_of_one])):
        return ANOTHER
    return ""


def _call_size(case: Case) -> int:
    """Trials of each of ``CALLS`` calls."""
    return min(max(case.affordable(0.1) // CALLS, BATCH), LARGEST_CALL // 8)


def _is_mixed_up(case: Case, chosen: NDArray[np.bool_]) -> bool:
    """Whether mixed calls have the chosen outcomes more wrongly than calls of the problem alone (Welch's t-test).

    The calls are independent also where the trials of one are not.
    """
    size, exact = _call_size(case), float(case.watch.law.law[chosen].sum())
    shares = np.array([[chosen[draw(size)].mean() for _ in range(CALLS)] for draw in (_alone(case), _mixed(case))])
    alone, mixed = shares.mean(axis=1)
    # By hand: SciPy's warns where the shares do not vary, as with outcomes that always or never come.
    noise = np.sqrt(shares.var(axis=1, ddof=1).sum() / CALLS)
    surprise = scipy.stats.t.isf(CONTRAST / 3 / 2, CALLS - 1)
    return bool(abs(mixed - exact) > abs(alone - exact) and abs(mixed - alone) > surprise * noise)


def _is_another(case: Case, chosen: NDArray[np.bool_], batched: Tokens) -> bool:
    """Whether batches have the chosen outcomes more wrongly than single trials, by Fisher's exact test."""
    few = sample_singly(case.subject, case.watch.problem, FEWEST_SINGLES, np.inf, case.rng).completed
    stop = time.monotonic() + case.seconds(0.2)
    more = sample_singly(case.subject, case.watch.problem, SINGLES, stop, case.rng).completed
    rows = [chosen[np.concatenate([few, more])], chosen[batched]]
    singles, batches = (abs(row.mean() - float(case.watch.law.law[chosen].sum())) for row in rows)
    table = [(int(row.sum()), int((~row).sum())) for row in rows]
    return bool(batches > singles and scipy.stats.fisher_exact(table).pvalue < CONTRAST / 3)


def _alone(case: Case, problem: Problem | None = None) -> Callable[[int], Tokens]:
    asked = problem or case.watch.problem
    return lambda trials: sample(case.subject, asked, trials, case.rng).completed


def _mixed(case: Case) -> Callable[[int], Tokens]:
    def draw(trials: int) -> Tokens:
        parts = sample_mixed(case.subject, case.mates, trials, case.rng)
        return np.concatenate([part.completed for index, part in parts if index == 0])

    return draw


def _smallest(case: Case) -> Problem:
    """The smallest problem found that convinces alone; that of the alarm if it does not."""
    problem, trials = case.watch.problem, case.trials(0.2)
    if not _convinces(case, problem, trials):
        return problem
    return shrink(problem, lambda it: _convinces(case, it, trials), case.seconds(0.4), int(case.rng.integers(2**31)))


def _convinces(case: Case, problem: Problem, trials: int) -> bool:
    """Whether so many trials of a problem alone convince, looked at as they double."""
    evidence = LawEvidence(problem.target_law.reshape(-1), problem.draft_law.reshape(-1))
    size = min(FIRST_LOOK, trials)
    while size and time.monotonic() < case.deadline:
        try:
            for part in calls(case.subject, problem, size, case.rng):
                evidence.add(part.completed)
        except (Crash, InvalidOutput):
            return False
        if evidence.log_value >= CONVINCING:
            return True
        size = min(evidence.trials, trials - evidence.trials)
    return False


def _describe(case: Case, problem: Problem, name: str, draw: Callable[[int], Tokens]) -> Instance:
    """Draw afresh and say what differs most; two halves bound the distance."""
    law = problem.target_law.reshape(-1)
    halves = [np.bincount(draw(case.trials(0.15)), minlength=law.size) for _ in range(2)]
    observed = frequencies(halves[0] + halves[1])
    order = np.argsort(-np.abs(observed - law), kind="stable")[:SHOWN]
    shown = [outcome for outcome in order if law[outcome] or observed[outcome]]
    return Instance(
        problem,
        name,
        int(sum(half.sum() for half in halves)),
        {outcome_name(problem, int(i)): float(law[i]) for i in shown},
        {outcome_name(problem, int(i)): float(observed[i]) for i in shown},
        total_variation_bound(halves[0], halves[1], law, case.level),
    )


def _diagnose(case: Case) -> Diagnosis | None:
    """Compare with the catalogue what was emitted on every problem, and some more of it, as time allows."""
    from simulations.conformance.defects import DEFECTS

    observed, watches = [], (case.watch, *case.others)
    for watch in watches:
        trials = min(DIAGNOSTIC_TRIALS, case.affordable(0.5 / len(watches)))
        if time.monotonic() < case.deadline:
            watch.see(sample(case.subject, watch.problem, trials, case.rng))
        if watch.emitted.any():
            observed.append(Observed(watch.problem, watch.emitted))
    return diagnose(observed, DEFECTS)
