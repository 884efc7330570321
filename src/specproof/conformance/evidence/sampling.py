"""Samples of a subject on problems, and the running evidence against each exact law."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.evidence.dependence import PairEvidence
from specproof.conformance.evidence.e_processes import AcceptanceEvidence, LawEvidence
from specproof.conformance.problems import ChainProblem, GenerateProblem, MultiProblem, Problem, Tokens
from specproof.conformance.subject.sampler_under_test import Emission, Subject
from specproof.theory.distribution import Array

LARGEST_CALL = 2**15
"""Trials in one call; larger batches leave the caches."""

VerifierProblem = ChainProblem | MultiProblem


class Sample(NamedTuple):
    """Trials of one problem: numbers of outcomes of its completed and its emitted law, and what was accepted."""

    completed: Tokens
    emitted: Tokens
    first: Tokens
    accepted: Tokens


def calls(subject: Subject, problem: Problem, trials: int, rng: np.random.Generator) -> Iterator[Sample]:
    """Run one problem alone, a call at a time.

    Raises
    ------
    Crash, InvalidOutput
        See :mod:`specproof.conformance.subject.sampler_under_test`.
    """
    for size in _sizes(subject, trials):
        yield sample_call(subject, problem, size, rng)


def sample(subject: Subject, problem: Problem, trials: int, rng: np.random.Generator) -> Sample:
    """Run one problem alone, in as many calls as it takes: see :func:`calls`."""
    return joined(list(calls(subject, problem, trials, rng)))


def sample_singly(subject: Subject, problem: Problem, number: int, deadline: float, rng: np.random.Generator) -> Sample:
    """Run one problem one trial a call: ``number`` of them, or as many as there is time for; at least one.

    Raises
    ------
    Crash, InvalidOutput
        See :mod:`specproof.conformance.subject.sampler_under_test`.
    """
    parts = [sample_call(subject, problem, 1, rng)]
    while len(parts) < number and time.monotonic() < deadline:
        parts.append(sample_call(subject, problem, 1, rng))
    return joined(parts)


def joined(parts: Sequence[Sample]) -> Sample:
    """The trials of several calls as one."""
    return parts[0] if len(parts) == 1 else Sample(*map(np.concatenate, zip(*parts, strict=True)))


def sample_mixed(
    subject: Subject, problems: Sequence[VerifierProblem], trials: int, rng: np.random.Generator
) -> Iterator[tuple[int, Sample]]:
    """Run several problems of one shape in batches, their rows dealt at random: yields each one's index and trials.

    The trials of each are in the order of the batch.

    Raises
    ------
    Crash, InvalidOutput
        See :mod:`specproof.conformance.subject.sampler_under_test`.
    """
    for size in _sizes(subject, trials * len(problems)):
        share = max(size // len(problems), 1)
        yield from enumerate(sample_mixed_call(subject, problems, [share] * len(problems), rng))


def sample_mixed_call(
    subject: Subject, problems: Sequence[VerifierProblem], trials: Sequence[int], rng: np.random.Generator
) -> list[Sample]:
    """Run so many trials of each of several problems in one call: see :func:`sample_mixed`."""
    owner = rng.permutation(np.repeat(np.arange(len(problems)), trials))
    places = [np.flatnonzero(owner == index) for index in range(len(problems))]
    inputs = problems[0].empty_inputs(owner.size)
    for problem, own in zip(problems, places, strict=True):
        problem.fill(inputs, own, rng)
    emission = subject.verify(problems[0], inputs, _seed(rng))
    return [_take_apart(problem, emission.rows(own), rng) for problem, own in zip(problems, places, strict=True)]


def outcome_name(problem: Problem, outcome: int) -> str:
    """An outcome of the completed law, as tokens."""
    return " ".join(str(int(token)) for token in np.unravel_index(outcome, problem.target_law.shape))


class Watch:
    """Everything that is tested on one problem.

    Attributes
    ----------
    law : LawEvidence
        Of the completed law.
    mixed : array of int
        Those of its counts that come from batches of several problems.
    pairs : PairEvidence
        Of two trials of a batch, which are independent.
    acceptance : list of AcceptanceEvidence
        One for each bound; empty in the contract generate.
    emitted : array of int
        Counts of the flattened emitted law.
    """

    def __init__(self, problem: Problem, name: str) -> None:
        self.problem, self.name = problem, name
        self.law = LawEvidence(problem.target_law.reshape(-1), problem.draft_law.reshape(-1))
        self.mixed = np.zeros_like(self.law.counts)
        self.pairs = PairEvidence(problem)
        bounds = () if isinstance(problem, GenerateProblem) else problem.acceptance_bounds
        self.acceptance = [AcceptanceEvidence(float(bound)) for bound in bounds]
        self.emitted = np.zeros(int(np.prod(problem.emitted_shape)), dtype=np.int64)

    @property
    def tests(self) -> int:
        """How many e-processes."""
        return 2 + len(self.acceptance)

    def see(self, seen: Sample) -> None:
        """Count further trials."""
        self.law.add(seen.completed)
        self.emitted += np.bincount(seen.emitted, minlength=self.emitted.size)
        for index, evidence in enumerate(self.acceptance):
            chain = isinstance(self.problem, ChainProblem)
            evidence.add(seen.accepted > index if chain else seen.accepted >= 0)

    def see_batch(self, seen: Sample, rng: np.random.Generator) -> None:
        """Count further trials that were one call, in this order."""
        self.see(seen)
        self.pairs.add(seen.first, seen.completed, rng)

    def see_mixed(self, seen: Sample, rng: np.random.Generator) -> None:
        """Count further trials of one call that had other problems too."""
        self.see_batch(seen, rng)
        self.mixed += np.bincount(seen.completed, minlength=self.mixed.size)

    def log_values(self) -> dict[str, float]:
        """Evidence by detector, in logarithms."""
        accepted = max((evidence.log_value for evidence in self.acceptance), default=0.0)
        return {"law": self.law.log_value, "acceptance": accepted, "pairs": self.pairs.log_value}


def frequencies(counts: NDArray[np.int64]) -> Array:
    """Counts over their sum."""
    shares: Array = counts / max(int(counts.sum()), 1)
    return shares


def sample_call(subject: Subject, problem: Problem, trials: int, rng: np.random.Generator) -> Sample:
    """Run one problem alone, in one call: see :func:`calls`."""
    if isinstance(problem, GenerateProblem):
        return _take_apart(problem, subject.generate(problem, trials, _seed(rng)), rng)
    return _take_apart(problem, subject.verify(problem, problem.inputs(trials, rng), _seed(rng)), rng)


def _take_apart(problem: Problem, emission: Emission, rng: np.random.Generator) -> Sample:
    first = emission.tokens[:, 0]
    if isinstance(problem, ChainProblem):
        completed = problem.complete(emission.tokens, rng)
        return Sample(completed, problem.outcomes(emission.tokens), first, emission.accepted)
    if isinstance(problem, MultiProblem):
        return Sample(first, problem.outcomes(first, emission.accepted), first, emission.accepted)
    outcomes = problem.outcomes(emission.tokens)
    return Sample(outcomes, outcomes, first, emission.accepted)


def _sizes(subject: Subject, trials: int) -> list[int]:
    """Trials of each call: powers of two that a slow function still returns from in time, and the rest."""
    size = LARGEST_CALL
    while size > 1 and size > subject.longest_call:
        size //= 2
    return [size] * (trials // size) + [trials % size] * (trials % size > 0)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**63))
