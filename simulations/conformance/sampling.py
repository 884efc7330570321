"""Samples of a subject on problems, and the running evidence against each exact law."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulations.conformance.problems import ChainProblem, GenerateProblem, MultiProblem, Problem, Tokens
from simulations.conformance.runner import Emission, Subject
from simulations.conformance.sequential import AcceptanceEvidence, LawEvidence, detectable
from theory.distribution import Array

LARGEST_CALL = 2**15
"""Trials in one call; larger batches leave the caches."""


VerifierProblem = ChainProblem | MultiProblem


class Sample(NamedTuple):
    """Trials of one problem: numbers of outcomes of its completed and its emitted law, and what was accepted."""

    completed: Tokens
    emitted: Tokens
    first: Tokens
    accepted: Tokens


def sample(subject: Subject, problem: Problem, trials: int, rng: np.random.Generator) -> Sample:
    """Run one problem alone.

    Raises
    ------
    Crash, InvalidOutput
        See :mod:`simulations.conformance.runner`.
    """
    parts = [_sample_call(subject, problem, size, rng) for size in _calls(trials)]
    return parts[0] if len(parts) == 1 else Sample(*map(np.concatenate, zip(*parts, strict=True)))


def sample_mixed(
    subject: Subject, problems: Sequence[VerifierProblem], trials: int, rng: np.random.Generator
) -> Iterator[tuple[int, Sample]]:
    """Run several problems of one shape in batches, their rows in random order: yields each one's index and trials.

    Raises
    ------
    Crash, InvalidOutput
        See :mod:`simulations.conformance.runner`.
    """
    for size in _calls(trials * len(problems)):
        share = max(size // len(problems), 1)
        places = rng.permutation(share * len(problems)).reshape(len(problems), share)
        inputs = problems[0].empty_inputs(places.size)
        for problem, own in zip(problems, places, strict=True):
            problem.fill(inputs, own, rng)
        emission = subject.verify(problems[0], inputs, _seed(rng))
        for index, (problem, own) in enumerate(zip(problems, places, strict=True)):
            yield index, _take_apart(problem, emission.rows(own), rng)


def outcome_name(problem: Problem, outcome: int) -> str:
    """An outcome of the completed law, as tokens."""
    return " ".join(str(int(token)) for token in np.unravel_index(outcome, problem.target_law.shape))


class Watch:
    """Everything that is tested on one problem.

    Attributes
    ----------
    law : LawEvidence
        Of the completed law.
    neighbours : LawEvidence
        Of the first tokens of two trials next to each other in a batch: they are independent.
    acceptance : list of AcceptanceEvidence
        One for each bound; empty in the contract generate.
    emitted : array of int
        Counts of the flattened emitted law.
    """

    def __init__(self, problem: Problem, name: str) -> None:
        self.problem, self.name = problem, name
        self.law = LawEvidence(problem.target_law.reshape(-1), problem.draft_law.reshape(-1))
        first = problem.target_law.sum(axis=tuple(range(1, problem.target_law.ndim)))
        self.neighbours = LawEvidence(np.outer(first, first).reshape(-1))
        bounds = () if isinstance(problem, GenerateProblem) else problem.acceptance_bounds
        self.acceptance = [AcceptanceEvidence(float(bound)) for bound in bounds]
        self.emitted = np.zeros(int(np.prod(problem.emitted_shape)), dtype=np.int64)

    @property
    def tests(self) -> int:
        """How many e-processes."""
        return 2 + len(self.acceptance)

    def see(self, sample: Sample, *, adjacent: bool) -> None:
        """Count further trials; ``adjacent`` if they were one batch in this order."""
        self.law.add(sample.completed)
        self.emitted += np.bincount(sample.emitted, minlength=self.emitted.size)
        for index, evidence in enumerate(self.acceptance):
            chain = isinstance(self.problem, ChainProblem)
            evidence.add(sample.accepted > index if chain else sample.accepted >= 0)
        if adjacent:
            size, paired = self.problem.num_tokens, len(sample.first) // 2 * 2
            self.neighbours.add(sample.first[0:paired:2] * size + sample.first[1:paired:2])

    def log_values(self) -> dict[str, float]:
        """Evidence by detector, in logarithms."""
        accepted = max((evidence.log_value for evidence in self.acceptance), default=0.0)
        return {"law": self.law.log_value, "acceptance": accepted, "neighbours": self.neighbours.log_value}

    def detectable(self, level: float) -> float:
        """The bias of the completed law that would have been seen, see :func:`sequential.detectable`."""
        return detectable(int(np.count_nonzero(self.law.law)), self.law.trials, level)


def frequencies(counts: NDArray[np.int64]) -> Array:
    """Counts over their sum."""
    shares: Array = counts / max(int(counts.sum()), 1)
    return shares


def _sample_call(subject: Subject, problem: Problem, trials: int, rng: np.random.Generator) -> Sample:
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


def _calls(trials: int) -> list[int]:
    return [LARGEST_CALL] * (trials // LARGEST_CALL) + [trials % LARGEST_CALL] * (trials % LARGEST_CALL > 0)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**63))
