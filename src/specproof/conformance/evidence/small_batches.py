"""Small batches: one trial a call, as engines often run, two and three, and what is between those and large ones.

What is wrong in batches of some size only shows in no other, and what is wrong in one row hardly shows in all of them.
Each size has its own evidence, and so have the first and the last row of a batch and its first two together, on two
problems: on the first every defect of one position shows, the second has more than one; and on a ragged one, whose rows
have drafts of their own number, if a verifier takes such. Now and then it is another problem, for what is gross: drafts
without a law or drawn in another way, texts of which more is asked. A verifier has in every other batch also rows of
the problem in the mirror, which shows rows that are mixed up.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from specproof.conformance.evidence.e_processes import LawEvidence, log_mean
from specproof.conformance.evidence.known_laws import Law, log_value_of_known
from specproof.conformance.evidence.sampling import sample_call, sample_mixed_call
from specproof.conformance.problems.answers import Sample
from specproof.conformance.problems.problem import Problem
from specproof.conformance.subject.sampler_under_test import Subject


class Sizes(NamedTuple):
    """How many trials calls have, from the least to the most."""

    least: int
    most: int

    def __str__(self) -> str:
        return f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"


SINGLE, PAIRED, BETWEEN = Sizes(1, 1), Sizes(2, 2), Sizes(4, 256)
KINDS = (SINGLE, PAIRED, Sizes(3, 3), BETWEEN)
"""Those that come in turn."""
SELDOM = 4
"""Problems that come in every so many-th turn alone are for what is gross: a report does not name them."""
TURN = (SINGLE, BETWEEN, PAIRED, SINGLE, KINDS[2], SINGLE, BETWEEN, PAIRED, SINGLE)
"""Calls in turn, so that no kind takes the time of another."""
FINER = (
    *(Sizes(*it) for power in range(2, 8) for it in ((1 << power,) * 2, ((1 << power) + 1, (2 << power) - 1))),
    Sizes(BETWEEN.most, BETWEEN.most),
)
"""The powers of two, which engines run most, and what is between them."""


class Place(StrEnum):
    """Rows of a batch that are looked at in every call of two trials and more."""

    FIRST = "the first row"
    LAST = "the last row"
    PAIR = "the first two rows"


TESTS = len(KINDS) + 2
"""Of each problem: one of each kind of batch, one of rows at either end, and one of pairs."""
Kind = Sizes | Place
"""Of small batches, or of rows in them."""
KNOWN_IN = (*KINDS, Place.FIRST, Place.LAST)
"""Where known laws are bet on, on all problems together."""


class Seen(NamedTuple):
    """What was seen of one problem in batches of one kind."""

    problem: Problem
    law: LawEvidence


class SmallBatches:
    """The evidence of each kind of batch and of each place on each problem, which is looked at once.

    Attributes
    ----------
    evidence : dict of (Sizes, str) to LawEvidence
        The evidence by kind and name of the problem.
    finer : dict of (Sizes, str) to LawEvidence
        That of the last kind by its sizes.
    places : dict of (Place, str) to LawEvidence
        The evidence by place and name, of batches of the problem alone; of a pair, that of its first tokens.
    """

    def __init__(self, problems: Mapping[str, Problem], every: Mapping[str, int]) -> None:
        """Start with no trials of problems, each of which comes in every so many-th turn of all."""
        self._problems, self._every = problems, every
        self.evidence, self.finer = (
            {
                (sizes, name): LawEvidence(problem.target_law.reshape(-1), problem.draft_law.reshape(-1))
                for name, problem in problems.items()
                for sizes in kinds
            }
            for kinds in (KINDS, FINER)
        )
        self.places = {
            (place, name): _evidence_of_place(place, problem) for name, problem in problems.items() for place in Place
        }

    @property
    def tests(self) -> int:
        """The number of tests of one problem each."""
        return len(self._problems) * TESTS

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
            self._add(kind, name, size, seen)
            if time.monotonic() > deadline:
                break

    def _add(self, kind: Sizes, name: str, size: int, seen: Sample) -> None:
        """Count the trials of one call, which are fewer than its size if others were left out."""
        self.evidence[kind, name].add(seen.completed)
        if kind == BETWEEN:
            self.finer[next(sizes for sizes in FINER if size <= sizes.most), name].add(seen.completed)
        if len(seen.completed) == size > 1:
            self.places[Place.FIRST, name].add(seen.completed[:1])
            self.places[Place.LAST, name].add(seen.completed[-1:])
            self.places[Place.PAIR, name].add(seen.first[:1] * self._problems[name].num_tokens + seen.first[1:2])

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the problems that were run; without the seldom ones, if there are others."""
        run = tuple(dict.fromkeys(name for (_, name), law in self.evidence.items() if law.trials))
        return tuple(name for name in run if self._every[name] < SELDOM) or run

    def log_values(self, name: str) -> dict[Kind, float]:
        """Give the logarithms of the ``TESTS`` e-processes of one problem, by what each sees most of.

        That of the last kind is the average of one of all its trials and of those of each of its sizes; those of the
        first and of the last row are averaged too.
        """
        values: dict[Kind, float] = {kind: self.evidence[kind, name].log_value for kind in KINDS}
        finer = {sizes: self.finer[sizes, name].log_value for sizes in FINER}
        rows = {place: self.places[place, name].log_value for place in (Place.FIRST, Place.LAST)}
        between, most = values.pop(BETWEEN), max(finer, key=lambda sizes: finer[sizes])
        values[BETWEEN if between >= finer[most] else most] = log_mean(np.array([between, _average(finer.values())]))
        values[max(rows, key=lambda place: rows[place])] = _average(rows.values())
        return values | {Place.PAIR: self.places[Place.PAIR, name].log_value}

    def law_of(self, kind: Kind, name: str) -> LawEvidence:
        """Give the evidence of what :meth:`log_values` names."""
        return self.places[kind, name] if isinstance(kind, Place) else (self.evidence | self.finer)[kind, name]

    def of_kind(self, kind: Kind) -> dict[str, Seen]:
        """Give what was seen in batches of one kind, or in one place, by the names of the problems."""
        return {name: Seen(problem, self.law_of(kind, name)) for name, problem in self._problems.items()}

    def log_value_of_known(self, kind: Kind, laws: tuple[Law, ...]) -> float:
        """Give the logarithm of the e-process that bets on laws of known defects, on all problems in one kind."""
        return log_value_of_known(self.of_kind(kind).values(), laws)

    def detectable_bias(self, level: float) -> dict[str, float]:
        """Give by kind the bias that would have been seen on any of the problems in :attr:`asked`."""
        seen = {kind: [self.evidence[kind, name] for name in self.asked] for kind in KINDS}
        return {
            str(kind): max((law.detectable_bias(level) for law in laws if law.trials), default=math.inf)
            for kind, laws in seen.items()
        }


def _average(values: Collection[float]) -> float:
    return log_mean(np.array(list(values)))


def _evidence_of_place(place: Place, problem: Problem) -> LawEvidence:
    law, leak = problem.target_law, problem.draft_law
    if place is not Place.PAIR:
        return LawEvidence(law.reshape(-1), leak.reshape(-1))
    first = law.sum(axis=tuple(range(1, law.ndim)))
    return LawEvidence(np.outer(first, first).reshape(-1))


def size_of(kind: Sizes, subject: Subject, rng: np.random.Generator) -> int:
    """Draw the number of trials of the next call of a kind: the larger the rarer, and half of them a power of two."""
    most = max(min(kind.most, int(subject.longest_call)), kind.least)
    size = min(max(int(rng.uniform((most + 1) ** -0.5, kind.least**-0.5) ** -2), kind.least), most)
    power = 1 << (size.bit_length() - 1)
    return power if power >= kind.least and rng.random() < 0.5 else size


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
