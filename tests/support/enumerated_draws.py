"""Every outcome of a sampler that draws coins and tokens, with its probability: it is run once for each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from specproof.simulations.tree_samplers.drafted import Drafted
from specproof.simulations.tree_samplers.registry import TreeSampler
from specproof.theory.distribution import Array
from specproof.theory.trees.draft_trees import Node


class Scripted:
    """Draws that come out as they are told to, and go on with the first outcome that is possible."""

    def __init__(self, script: list[int]) -> None:
        self.outcomes: list[int] = []
        self.probability = 1.0
        self.waiting: list[list[int]] = []
        """The scripts of what else may come."""
        self._script = script

    def coin(self, chance: float) -> bool:
        return not self._choose(np.array([chance, 1.0 - chance]))

    def token(self, weights: Array) -> int:
        return self._choose(weights / weights.sum() if weights.any() else np.eye(weights.size)[-1])

    def uniforms(self, count: int) -> Array:
        raise AssertionError(f"{count} numbers have no finite list of outcomes")

    def _choose(self, chances: Array) -> int:
        place = len(self.outcomes)
        possible = [int(outcome) for outcome in np.flatnonzero(chances > 0)]
        if place < len(self._script):
            chosen = self._script[place]
        else:
            chosen, *others = possible
            self.waiting += [[*self.outcomes, other] for other in others]
        self.outcomes.append(chosen)
        self.probability *= float(chances[chosen])
        return chosen


def outcomes(sampler: TreeSampler, tree: Drafted) -> Iterator[tuple[Node, float]]:
    """What a sampler may emit, and with what probability; one output may come more than once."""
    scripts: list[list[int]] = [[]]
    while scripts:
        draws = Scripted(scripts.pop())
        node = sampler(tree, draws)
        scripts += draws.waiting
        yield node, draws.probability
