"""What problems share whose samplers are handed probability rows and drafts: trials of several fit into one batch."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.problem import Problem
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array


class Inputs(NamedTuple):
    """What a verifier is handed beside its generator: n independent trials."""

    draft_probs: Array
    target_probs: Array
    draft_tokens: Tokens

    @property
    def trials(self) -> int:
        """The number of trials, n."""
        return len(self.draft_tokens)


class VerifierProblem(Problem):
    """A problem of drafts that are handed out with their probabilities."""

    @property
    def batched(self) -> Self:
        """The problem itself: its trials can stand in one batch with those of another of its shape."""
        return self

    @cached_property
    def mirrored(self) -> Self:
        """The problem with its tokens in reverse order: in a batch with it, rows that are mixed up have another law."""
        draft, target = (TabularModel([np.flip(table) for table in model.conditionals]) for model in self.models)
        return self.with_models(draft, target)

    def inputs(self, trials: int, rng: np.random.Generator) -> Inputs:
        """Draw the drafts of n trials and gather the probability rows that a model would have given with them."""
        inputs = self.empty_inputs(trials)
        self.fill(inputs, np.arange(trials), rng)
        return inputs

    def arguments(self, trials: int, rng: np.random.Generator) -> Inputs:
        """Draw the inputs of n trials."""
        return self.inputs(trials, rng)

    @abstractmethod
    def empty_inputs(self, trials: int) -> Inputs:
        """Make room for n trials."""

    @abstractmethod
    def fill(self, inputs: Inputs, places: Tokens, rng: np.random.Generator) -> None:
        """Draw trials into some rows of a batch, which may be one of several problems."""

    def chance_of_drafts(self, arguments: Inputs) -> Array:
        """Give the probability of the drafts of each trial, shape (n,)."""
        rows = arguments.draft_probs.reshape(arguments.trials, -1, self.num_tokens)
        rows = np.broadcast_to(rows, (*arguments.draft_tokens.shape, self.num_tokens))
        drawn = np.take_along_axis(rows, arguments.draft_tokens[..., np.newaxis], -1)
        chance: Array = drawn[..., 0].prod(axis=1)
        return chance
