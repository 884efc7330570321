"""After an alarm: where it comes from, the smallest problem that shows it, how large it is, and which defect it is."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy  # its parts load when first used: scipy.stats takes a second
from numpy.typing import NDArray

from specproof.conformance.evidence.dependence import are_dependent
from specproof.conformance.evidence.e_processes import LawEvidence, total_variation_bound
from specproof.conformance.evidence.sampling import (
    LARGEST_CALL,
    Sample,
    VerifierProblem,
    Watch,
    calls,
    frequencies,
    joined,
    outcome_name,
    sample,
    sample_call,
    sample_mixed,
    sample_singly,
)
from specproof.conformance.evidence.small_batches import sample_small, size_of
from specproof.conformance.explanation.diagnosis import Observed, diagnose
from specproof.conformance.explanation.shrinking import shrink
from specproof.conformance.problems import GenerateProblem, Problem, Tokens
from specproof.conformance.report.report import SHRUNK, Diagnosis, Finding, Instance, Verdict
from specproof.conformance.subject.sampler_under_test import BATCH, Crash, InvalidOutput, Refusal, Subject

FEWEST, MOST = 4000, 2**20
"""Trials of a problem that is looked at again: four times as many as gave the alarm, within these and the time left."""
FIRST_LOOK = 64
LEAST_SECONDS = 0.1
"""Time for each step of the investigation, also when it is late."""
SINGLES, FEWEST_SINGLES = 1000, 64
"""Batches of one against which batches of many are held; no fewer than these however little time is left."""
MOST_SMALL, SIZES = 4000, 8
"""Trials of small batches that are looked at again, and sizes at most: the law may be another at each."""
CALLS = 32
"""Calls of one problem, and as many of different problems, that are held against each other."""
CONTRAST = 1e-6
"""The nominal chance that a sampler whose trials are independent, and of one law in any batch, is said to fail by its
batches.

Shared evenly by ``TESTS``: batches of different problems against those of one, call by call; trials of either against
each other; and batches against single trials. Batches are compared by how often they have the outcomes that came too
often when the alarm was given. What is compared is drawn afresh, so that choice is free. Nominal, for the tests of
independence and Welch's are approximate; the verdict stands before any of them.
"""
TESTS = 4
DIAGNOSTIC_TRIALS = 2**14
CONVINCING = float(np.log(1e6))
"""Evidence asked for on a smaller problem. The alarm has been given already; this only says which problem shows it."""
SHOWN = 4
"""Outcomes in the report."""
MIXED_UP = "the law in batches of different problems is another than alone: rows are mixed up"
DEPENDENT = "the trials of a batch depend on each other, which leaves open what the law of each is"
DEPENDENT_IF_MIXED = (
    "trials of batches of different problems depend on each other and those of one problem do not: rows are mixed up, "
    "or share their dice; what the law of each is that leaves open"
)
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
    """What an exception of :mod:`specproof.conformance.subject.sampler_under_test` says about the function."""
    verdict = Verdict.CRASHES if isinstance(error, Crash) else Verdict.INVALID
    text = f"{where}: {error}"
    if isinstance(error, Refusal):
        text += "; it took the problem before: an adapter takes any n, and loops over the trials where it must"
    return Finding(verdict, detector, problem, text)


def investigate(case: Case, findings: list[Finding]) -> Explanation:
    """Explain an alarm in batches; whatever the function does meanwhile, what is known already is returned."""
    instance = diagnosis = None
    try:
        impossible = case.watch.law.log_value == np.inf
        cause = "" if impossible else _batch_cause(case)
        if cause:
            together = cause != ANOTHER
            draw = _mixed(case) if cause in (MIXED_UP, DEPENDENT_IF_MIXED) else _alone(case)
            findings = [_by_batch(case, cause), *(_without_counts(case, findings) if together else findings)]
            instance = _describe(case, case.watch.problem, case.watch.name, draw, dependent=together)
        else:
            problem = _smallest(case)
            name = case.watch.name if problem is case.watch.problem else SHRUNK
            instance = _describe(case, problem, name, _alone(case, problem))
            if impossible and min(instance.expected.values()) > 0:
                instance = None  # what is impossible was seen once and did not come again
            diagnosis = _diagnose(case)
    except (Crash, InvalidOutput) as error:
        findings = [*findings, _broke_later(case, error)]
    return Explanation(findings, instance, diagnosis)


def explain_small(case: Case, findings: list[Finding], kind: str, counts: Tokens) -> Explanation:
    """Explain an alarm of small batches of one kind, which was given at these counts, as :func:`investigate` does."""
    sizes = {size_of(kind, case.subject, case.rng) for _ in range(SIZES)}
    instance = None
    try:
        alone, mixed = (
            [_small_calls(case, size, len(sizes), mixed=mixed) for size in sizes] for mixed in (False, True)
        )
        of_all = [list(itertools.chain(*of_each)) for of_each in (alone, mixed)]
        cause = ""
        if _is_mixed_up(case, counts > counts.sum() * case.watch.law.law, *of_all):
            cause = MIXED_UP
        elif any(_are_dependent(case, of_one) for of_one in alone):
            cause = DEPENDENT
        elif any(_are_dependent(case, of_one) for of_one in mixed):
            cause = DEPENDENT_IF_MIXED
        if cause:
            findings = [_by_batch(case, cause), *_without_counts(case, findings)]
        seen = list(itertools.chain(*of_all))
        halves = (joined(half).completed for half in (seen[::2], seen[1::2]))
        instance = _describe(case, case.watch.problem, case.watch.name, lambda _: next(halves), dependent=cause != "")
    except (Crash, InvalidOutput) as error:
        findings = [*findings, _broke_later(case, error)]
    return Explanation(findings, instance, None)


def _small_calls(case: Case, size: int, sizes: int, *, mixed: bool) -> list[Sample]:
    """Some thousand trials, shared by all sizes, or what there is time for; two calls at least."""
    seen: list[Sample] = []
    stop = time.monotonic() + case.seconds(0.4) / sizes
    while len(seen) < 2 or (len(seen) * size < MOST_SMALL / sizes and time.monotonic() < stop):
        seen.append(sample_small(case.subject, case.watch.problem, size, case.rng, mixed=mixed))
    return seen


def _by_batch(case: Case, cause: str) -> Finding:
    return Finding(Verdict.BIASED, "batch", case.watch.name, f"on '{case.watch.name}' {cause}")


def _without_counts(case: Case, findings: list[Finding]) -> list[Finding]:
    """What is left without counts of trials of a batch: laws and proofs from them hold for independent ones only."""
    held = [finding for finding in findings if finding.detector not in ("law", "acceptance", "small batches")]
    return [*held, *case.single]


def _broke_later(case: Case, error: Crash | InvalidOutput) -> Finding:
    return broken(error, f"on '{case.watch.name}', looked at again after the alarm", "output", case.watch.name)


def _batch_cause(case: Case) -> str:
    """What batches have to do with it, if the data themselves refute that they have nothing to do with it."""
    law, mixed = case.watch.law.law, case.watch.mixed
    counts = case.watch.law.counts - mixed
    often, often_mixed = (drawn > drawn.sum() * law for drawn in (counts, mixed))
    size = 1 << (min(max(case.affordable(0.1) // CALLS, BATCH), LARGEST_CALL // 8).bit_length() - 1)
    of_one = [sample_call(case.subject, case.watch.problem, size, case.rng) for _ in range(CALLS)]
    of_many = [_mixed_trials(case, size) for _ in range(CALLS)] if len(case.mates) > 1 else []
    if of_many and _is_mixed_up(case, often_mixed, of_one, of_many):
        return MIXED_UP
    if _are_dependent(case, of_one):
        return DEPENDENT
    if of_many and _are_dependent(case, of_many):
        return DEPENDENT_IF_MIXED
    return ANOTHER if _is_another(case, often, joined(of_one).completed) else ""


def _are_dependent(case: Case, batches: Sequence[Sample]) -> bool:
    parts = [(each.first, each.completed) for each in batches]
    return are_dependent(parts, case.watch.problem.num_tokens, CONTRAST / TESTS)


def _is_mixed_up(case: Case, chosen: NDArray[np.bool_], of_one: Sequence[Sample], of_many: Sequence[Sample]) -> bool:
    """Whether mixed calls have the chosen outcomes more wrongly than calls of the problem alone (Welch's t-test).

    The calls are independent also where the trials of one are not.
    """
    exact = float(case.watch.law.law[chosen].sum())
    shares = [np.array([chosen[each.completed].mean() for each in kind]) for kind in (of_one, of_many)]
    alone, mixed = (float(share.mean()) for share in shares)
    # By hand: SciPy's warns where the shares do not vary, as with outcomes that always or never come.
    noise = np.sqrt(sum(share.var(ddof=1) / share.size for share in shares))
    surprise = scipy.stats.t.isf(CONTRAST / TESTS / 2, min(share.size for share in shares) - 1)
    return bool(abs(mixed - exact) > abs(alone - exact) and abs(mixed - alone) > surprise * noise)


def _is_another(case: Case, chosen: NDArray[np.bool_], batched: Tokens) -> bool:
    """Whether batches have the chosen outcomes more wrongly than single trials, by Fisher's exact test."""
    few = sample_singly(case.subject, case.watch.problem, FEWEST_SINGLES, np.inf, case.rng).completed
    stop = time.monotonic() + case.seconds(0.2)
    more = sample_singly(case.subject, case.watch.problem, SINGLES, stop, case.rng).completed
    rows = [chosen[np.concatenate([few, more])], chosen[batched]]
    singles, batches = (abs(row.mean() - float(case.watch.law.law[chosen].sum())) for row in rows)
    table = [(int(row.sum()), int((~row).sum())) for row in rows]
    return bool(batches > singles and scipy.stats.fisher_exact(table).pvalue < CONTRAST / TESTS)


def _alone(case: Case, problem: Problem | None = None) -> Callable[[int], Tokens]:
    asked = problem or case.watch.problem
    return lambda trials: sample(case.subject, asked, trials, case.rng).completed


def _mixed(case: Case) -> Callable[[int], Tokens]:
    return lambda trials: _mixed_trials(case, trials).completed


def _mixed_trials(case: Case, trials: int) -> Sample:
    """Those trials of a batch of different problems that are of the first."""
    parts = sample_mixed(case.subject, case.mates, trials, case.rng)
    return joined([part for index, part in parts if index == 0])


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


def _describe(
    case: Case, problem: Problem, name: str, draw: Callable[[int], Tokens], *, dependent: bool = False
) -> Instance:
    """Draw afresh and say what differs most; two halves bound the distance, if trials are independent."""
    law = problem.target_law.reshape(-1)
    halves = [np.bincount(draw(case.trials(0.15)), minlength=law.size) for _ in range(2)]
    observed = frequencies(halves[0] + halves[1])
    surprise = np.where(law > 0, np.abs(observed - law), np.ceil(observed))  # what is impossible comes first
    order = np.argsort(-surprise, kind="stable")[:SHOWN]
    shown = [outcome for outcome in order if law[outcome] or observed[outcome]]
    return Instance(
        problem,
        name,
        int(sum(half.sum() for half in halves)),
        {outcome_name(problem, int(i)): float(law[i]) for i in shown},
        {outcome_name(problem, int(i)): float(observed[i]) for i in shown},
        0.0 if dependent else total_variation_bound(halves[0], halves[1], law, case.level),
    )


def _diagnose(case: Case) -> Diagnosis | None:
    """Compare with the catalogue what was emitted on every problem, and some more of it, as time allows."""
    from specproof.conformance.defects import DEFECTS

    observed, watches = [], (case.watch, *case.others)
    for watch in watches:
        trials = min(DIAGNOSTIC_TRIALS, case.affordable(0.5 / len(watches)))
        if time.monotonic() < case.deadline:
            watch.see(sample(case.subject, watch.problem, trials, case.rng))
        if watch.emitted.any():
            observed.append(Observed(watch.problem, watch.emitted))
    return diagnose(observed, DEFECTS)
