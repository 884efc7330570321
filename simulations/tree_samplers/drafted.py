"""What a sampler of drafted trees is handed: one tree with both models' laws at its nodes, and what to draw by."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from specproof.simulations.samplers.inversion import invert_once
from specproof.theory.distribution import Array
from specproof.theory.trees.branches import Branches
from specproof.theory.trees.draft_trees import NodeLaw


class Drafted(NamedTuple):
    """One drafted tree."""

    branches: Branches
    """The tokens in the order of drafting; siblings may be equal."""
    draft: NodeLaw
    """The draft's law at every node that is followed by drafts."""
    target: NodeLaw
    """The target's law at the root and at every drafted node."""


class Draws(Protocol):
    """Where a sampler's randomness comes from."""

    def coin(self, chance: float) -> bool:
        """Come out true with this probability."""

    def token(self, weights: Array) -> int:
        """Draw a token in proportion to weights, shape (V,)."""

    def uniforms(self, count: int) -> Array:
        """Draw independent numbers in [0, 1), shape (count,)."""


class RandomDraws(NamedTuple):
    """Draws by a generator.

    Examples
    --------
    >>> draws = RandomDraws(np.random.default_rng(0))
    >>> draws.coin(1.0), draws.coin(0.0), draws.token(np.array([0.0, 2.0]))
    (True, False, 1)
    """

    rng: np.random.Generator
    """The generator."""

    def coin(self, chance: float) -> bool:
        """Compare a uniform number with the chance."""
        return bool(self.rng.random() < chance)

    def token(self, weights: Array) -> int:
        """Invert a uniform number."""
        return int(invert_once(weights, self.rng.random()))

    def uniforms(self, count: int) -> Array:
        """Draw the numbers themselves."""
        numbers: Array = self.rng.random(count)
        return numbers
