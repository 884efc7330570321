"""Samples of a subject on problems: alone, one trial a call, and in batches of several problems."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.problems.answers import Sample
from specproof.conformance.problems.problem import Problem, VerifierProblem
from specproof.conformance.subject.sampler_under_test import Subject
from specproof.theory.distribution import Array

LARGEST_CALL = 2**15
"""One call has so many trials at most; larger batches leave the caches."""


def calls(subject: Subject, problem: Problem, trials: int, rng: np.random.Generator) -> Iterator[Sample]:
    """Run one problem alone, a call at a time.

    Raises
    ------
    Crash, InvalidOutput
        If the sampler fails, see :mod:`specproof.conformance.subject.failures`.
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
        If the sampler fails, see :mod:`specproof.conformance.subject.failures`.
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
        If the sampler fails, see :mod:`specproof.conformance.subject.failures`.
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
    emission = problems[0].ask(subject, inputs, _seed(rng))
    return [
        problem.take_apart(emission.rows(own), rng)._replace(drafts=problem.number_drafts(inputs)[own])
        for problem, own in zip(problems, places, strict=True)
    ]


def outcome_name(problem: Problem, outcome: int) -> str:
    """An outcome of the completed law, as tokens."""
    return " ".join(str(int(token)) for token in np.unravel_index(outcome, problem.target_law.shape))


def frequencies(counts: NDArray[np.int64]) -> Array:
    """Divide counts by their sum."""
    shares: Array = counts / max(int(counts.sum()), 1)
    return shares


def sample_call(subject: Subject, problem: Problem, trials: int, rng: np.random.Generator) -> Sample:
    """Run one problem alone, in one call: see :func:`calls`."""
    arguments = problem.arguments(trials, rng)
    seen = problem.take_apart(problem.ask(subject, arguments, _seed(rng)), rng)
    return seen._replace(drafts=problem.number_drafts(arguments))


def largest_call(subject: Subject) -> int:
    """Give the trials of the largest call: a power of two that a slow function still returns from in time."""
    size = LARGEST_CALL
    while size > 1 and size > subject.longest_call:
        size //= 2
    return size


def _sizes(subject: Subject, trials: int) -> list[int]:
    """Give the trials of each call: as many as the largest has, and the rest."""
    size = largest_call(subject)
    return [size] * (trials // size) + [trials % size] * (trials % size > 0)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**63))
