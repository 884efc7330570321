"""Small batches: one trial a call, as engines often run, two and three, and what is between those and large ones.

What is wrong in batches of some size only shows in no other. Each kind of batch has its own evidence, on two problems:
on the first every defect of one position shows, the second has more than one; and on a ragged one, whose rows have
drafts of their own number, if a verifier takes such. Now and then it is another problem, for what is gross: drafts
without a law or drawn in another way, texts of which more is asked. A verifier has in every other
batch also rows of the problem in the mirror, which shows rows that are mixed up.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

import numpy as np

from specproof.conformance.evidence.e_processes import LawEvidence
from specproof.conformance.evidence.sampling import sample_call, sample_mixed_call
from specproof.conformance.problems.answers import Sample
from specproof.conformance.problems.problem import Problem
from specproof.conformance.subject.sampler_under_test import Subject

LEAST, MOST = 4, 256
SINGLE = "1"
KINDS = (SINGLE, "2", "3", f"{LEAST} to {MOST}")
"""How many trials a call has, as a report says it."""
SELDOM = 4
"""Problems that come in every so many-th turn alone are for what is gross: a report does not name them."""
TURN = (*KINDS, SINGLE, "2", SINGLE, SINGLE)
"""Calls in turn, so that no kind takes the time of another."""


class SmallBatches:
    """The evidence of each kind of batch on each problem, which is looked at once.

    Attributes
    ----------
    evidence : dict of (str, str) to LawEvidence
        The evidence by kind and name of the problem.
    """

    def __init__(self, problems: Mapping[str, Problem], every: Mapping[str, int]) -> None:
        """Start with no trials of problems, each of which comes in every so many-th turn of all."""
        self._problems, self._every = problems, every
        self.evidence = {
            (kind, name): LawEvidence(problem.target_law.reshape(-1), problem.draft_law.reshape(-1))
            for name, problem in problems.items()
            for kind in KINDS
        }

    def run(
        self, subject: Subject, names: Sequence[str], singles: int, deadline: float, rng: np.random.Generator
    ) -> None:
        """Run the named problems in turn, until there were so many calls of one trial or time is over.

        Raises
        ------
        Crash, InvalidOutput
            If the sampler fails, see :mod:`specproof.conformance.subject.failures`.
        """
        turns = -(-singles // TURN.count(SINGLE)) if names else 0
        order = [name for turn in range(1, SELDOM + 1) for name in names if turn % self._every[name] == 0]
        for kind, name in ((kind, order[turn % len(order)]) for turn in range(turns) for kind in TURN):
            size, mixed = size_of(kind, subject, rng), bool(rng.random() < 0.5)
            seen = sample_small(subject, self._problems[name], size, rng, mixed=mixed)
            self.evidence[kind, name].add(seen.completed)
            if time.monotonic() > deadline:
                break

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the problems that were run; without the seldom ones, if there are others."""
        run = tuple(dict.fromkeys(name for (_, name), law in self.evidence.items() if law.trials))
        return tuple(name for name in run if self._every[name] < SELDOM) or run

    def detectable_bias(self, level: float) -> dict[str, float]:
        """Give by kind the bias that would have been seen on any of the problems in :attr:`asked`."""
        seen = [(kind, law) for (kind, name), law in self.evidence.items() if law.trials and name in self.asked]
        return {
            kind: max((law.detectable_bias(level) for own, law in seen if own == kind), default=math.inf)
            for kind in KINDS
        }


def size_of(kind: str, subject: Subject, rng: np.random.Generator) -> int:
    """Draw the number of trials of the next call of a kind; its logarithm is uniform."""
    if kind != KINDS[-1]:
        return int(kind)
    largest = min(MOST, subject.longest_call)
    return int(LEAST * (max(largest, LEAST) / LEAST) ** rng.random())


def sample_small(subject: Subject, problem: Problem, size: int, rng: np.random.Generator, *, mixed: bool) -> Sample:
    """Run one small batch of a problem, and give its trials.

    If ``mixed``, some rows of the batch are of the problem in the mirror instead, where that can be; those are left
    out.

    Raises
    ------
    Crash, InvalidOutput
        If the sampler fails, see :mod:`specproof.conformance.subject.failures`.
    """
    batched = problem.batched
    if not mixed or size < 2 or batched is None:
        return sample_call(subject, problem, size, rng)
    own = int(rng.integers(1, size))
    return sample_mixed_call(subject, [batched, batched.mirrored], [own, size - own], rng)[0]
