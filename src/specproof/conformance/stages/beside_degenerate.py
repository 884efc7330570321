"""The sixth stage: ordinary rows in one batch with degenerate ones, as where what one row asks for is done to all."""

from __future__ import annotations

import time

import numpy as np

from specproof.conformance.evidence.e_processes import LawEvidence
from specproof.conformance.evidence.sampling import sample_mixed_call
from specproof.conformance.evidence.small_batches import KINDS, Sizes, size_of
from specproof.conformance.explanation.failing_instance import instance_of
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.problem import VerifierProblem
from specproof.conformance.report.finding import Detector, Finding, Verdict, broken
from specproof.conformance.stages.state import BESIDE, END, Check
from specproof.conformance.subject.failures import Crash, InvalidOutput
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

CALLS = 8
"""There are so many times fewer small batches of each size beside degenerate rows than calls of one trial."""
LARGE = "many"
"""How many trials a large batch has, as a report says it."""

LARGE_BESIDE = 0.86
"""Large batches may take until this share of the time limit, which slow samplers need."""

MIXED_UP = " that have other rows beside them, degenerate or not, as where rows are mixed up"
"""What is said of batches in which any other rows do harm."""


def run_beside_degenerate_rows(check: Check) -> list[Finding]:
    """Run large and small batches of ordinary rows and those of degenerate problems; the first fault is the last.

    Large ones of every shape come first. Each kind of batch of each shape has its part of the time that is left.
    """
    groups = [[name for name in names if check.degenerate[name].law.trials] for names in check.beside().values()]
    turns = [(kind, names) for kind in (None, *KINDS[1:]) for names in groups if names]
    missed = []
    for index, (kind, names) in enumerate(turns):
        end, more = (check.after(LARGE_BESIDE), len(groups)) if kind is None else (check.after(BESIDE), len(turns))
        now = time.monotonic()
        if now > end:
            missed.append(str(kind or LARGE))
            continue
        try:
            if found := _alarm(check, names, kind, now + (end - now) / (more - index)):
                return [found]
        except (Crash, InvalidOutput) as error:
            return [broken(error, f"on ordinary rows beside those of {_listed(names)}", Detector.BESIDE, names[0])]
    if missed:
        kinds = " and ".join(dict.fromkeys(missed))
        check.notes.append(f"no time was left for ordinary rows beside degenerate ones in batches of {kinds}")
    return []


def ordinary_beside(degenerate: VerifierProblem) -> VerifierProblem:
    """Make a problem of the shape of a degenerate one, whose laws are anything but: they fall and rise evenly."""
    weights = np.arange(degenerate.num_tokens, 0, -1, dtype=np.float64)
    law = weights / weights.sum()
    models = zip(degenerate.models, (law, law[::-1]), strict=True)
    draft, target = (_constant(model, row) for model, row in models)
    return degenerate.with_models(draft, target)


def _constant(model: TabularModel, law: Array) -> TabularModel:
    return TabularModel([np.broadcast_to(law, table.shape) for table in model.conditionals])


def _alarm(check: Check, names: list[str], kind: Sizes | None, stop: float) -> Finding | None:
    halves = _counts(check, _problems(check, names), kind, stop)
    ordinary = ordinary_beside(_problems(check, names)[0])
    if not _refute(check, ordinary, halves):
        return None
    stop = check.after(END)
    for other, of_what in ((ordinary, ""), (ordinary.mirrored, MIXED_UP)):  # what is beside them need not be degenerate
        seen = _counts(check, [other], kind, stop)
        if _refute(check, ordinary, seen):
            check.instance = instance_of(ordinary, "ordinary rows", seen, 0.0, [other] if of_what else [])
            return _finding(names[0], kind, of_what, seen)
    each = {name: _counts(check, _problems(check, [name]), kind, stop) for name in names}
    if guilty := [name for name in names if _refute(check, ordinary, each[name])]:  # some of them are enough
        names, halves = guilty, [sum(part) for part in zip(*(each[name] for name in guilty), strict=True)]
    degenerate = _problems(check, names)
    check.instance = instance_of(ordinary, "ordinary rows beside degenerate ones", halves, 0.0, degenerate)
    return _finding(names[0], kind, f" that have rows of {_listed(names)} beside them", halves)


def _finding(name: str, kind: Sizes | None, of_what: str, halves: list[Tokens]) -> Finding:
    trials = int(halves[0].sum() + halves[1].sum())
    text = f"the law of ordinary rows is wrong in batches of {kind or LARGE}{of_what}, seen in {trials:,} trials"
    return Finding(Verdict.BIASED, Detector.BESIDE, name, text)


def _counts(check: Check, others: list[VerifierProblem], kind: Sizes | None, stop: float) -> list[Tokens]:
    """Count in two halves what ordinary rows emit beside those of all others, or of one of them in small batches."""
    ordinary = ordinary_beside(others[0])
    size, affordable = ordinary.target_law.size, int((stop - time.monotonic()) / (2 * check.subject.batches.pace))
    largest = min(check.budget.degenerate, max(affordable, 1))
    halves = [np.zeros(size, dtype=np.int64) for _ in range(2)]
    for call in range(2 if kind is None else max(check.budget.small // CALLS, 2)):
        if time.monotonic() > stop:
            break
        rows = largest if kind is None else size_of(kind, check.subject, check.rng)
        beside = others if kind is None else [others[int(check.rng.integers(len(others)))]]
        share = max(int(rows * check.rng.uniform(0.2, 0.8)) // len(beside), 1)
        trials = [max(rows - share * len(beside), 1), *[share] * len(beside)]
        seen = sample_mixed_call(check.subject, [ordinary, *beside], trials, check.rng)
        halves[call % 2] += np.bincount(seen[0].completed, minlength=size)
    return halves


def _refute(check: Check, ordinary: VerifierProblem, halves: list[Tokens]) -> bool:
    evidence = LawEvidence(ordinary.target_law.reshape(-1), ordinary.draft_law.reshape(-1))
    evidence.counts += halves[0] + halves[1]
    return check.is_alarm(evidence.log_value)


def _problems(check: Check, names: list[str]) -> list[VerifierProblem]:
    batched = (check.degenerate[name].problem.batched for name in names)
    return [problem for problem in batched if problem is not None]


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
