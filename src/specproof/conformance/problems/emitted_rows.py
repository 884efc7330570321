"""Rows of emitted tokens that end early: how they are numbered, and completed by draws from the target."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from specproof.conformance.problems.answers import Emission, Sample, number_rows, refuse_rows
from specproof.conformance.problems.drawing import Tables, Tokens, complete_path, tables
from specproof.conformance.problems.problem import Problem
from specproof.conformance.problems.two_models import TwoModels
from specproof.theory.distribution import Array


class EmittedRows(TwoModels, Problem):
    """A problem that is answered by rows of at most as many tokens as the target's horizon, -1 after the last.

    A row is completed by draws from the target's conditionals, as a decoding loop would go on.

    """

    @property
    def given(self) -> int:
        """The first so many tokens of a row are no answer: they were handed out as a prefix."""
        return 0

    @property
    def longest(self) -> int:
        """The most tokens that an answer can have, L+1."""
        return self.target.horizon - self.given

    @cached_property
    def target_law(self) -> Array:
        """The law of the completed row of a lossless sampler: the target's joint law."""
        return self.target.joint()

    @property
    def emitted_shape(self) -> tuple[int, ...]:
        """The shape of the emitted law: V for each given token, V+1 for each that may be emitted."""
        return (self.num_tokens,) * self.given + (self.num_tokens + 1,) * self.longest

    def completed(self, law: Array) -> Array:
        """Give the completed law of an emitted law."""
        size, given = self.num_tokens, self.given
        mass = np.zeros(size**given)
        for position in range(self.longest):
            # What ended before this position goes on by the target; what did not is read off the emitted law.
            rows = self.target.conditionals[given + position].reshape(-1, size)
            written = (slice(None),) * given + (slice(1, None),) * (position + 1)
            ended = law[written + (0,) * (self.longest - 1 - position)].reshape(-1)
            mass = (mass[:, np.newaxis] * rows).reshape(-1) + ended
        return mass.reshape((size,) * self.target.horizon)

    def outcomes(self, rows: Tokens) -> Tokens:
        """Number each row's place in the flattened emitted law, shape (n,)."""
        size, given = self.num_tokens, self.given
        emitted = number_rows(rows[:, given:] + 1, size + 1)
        numbers: Tokens = number_rows(rows[:, :given], size) * (size + 1) ** self.longest + emitted
        return numbers

    def complete(self, rows: Tokens, rng: np.random.Generator) -> Tokens:
        """Draw the tokens that are missing from the target and number each row's place in the flattened completed law.

        Returns
        -------
        array of int, shape (n,)
        """
        numbers = np.empty(rows.shape[0], dtype=np.int64)
        complete_path(self._target_tables, rows, numbers, rng)
        return numbers

    def take_apart(self, emission: Emission, rng: np.random.Generator) -> Sample:
        """Number the outcomes of each trial, those of the completed law after drawing what is missing."""
        rows = emission.tokens
        return Sample(self.complete(rows, rng), self.outcomes(rows), rows[:, self.given], emission.accepted)

    def prepare(self) -> None:
        """Compile and lay out what drawing, and reading rows of one token, take."""
        rng, rows = np.random.default_rng(0), np.full((1, self.longest), -1)
        rows[:, 0] = 0
        self.take_apart(self.parse(rows, self.arguments(1, rng)), rng)

    @cached_property
    def _draft_tables(self) -> Tables:
        return tables(self.draft)

    @cached_property
    def _target_tables(self) -> Tables:
        return tables(self.target)


def refuse_gaps(tokens: Any) -> None:
    """Refuse rows without a token, and rows that go on after -1.

    Raises
    ------
    InvalidOutput
    """
    ended = tokens < 0
    refuse_rows(ended[:, 0], tokens, "begins with -1", "emit at least one token in each trial")
    resumed = (ended[:, :-1] & ~ended[:, 1:]).any(axis=1)
    refuse_rows(resumed, tokens, "goes on after -1", "-1 stands after the last emitted token only")
