"""Instances of the transport problem: a target, and drafts of every kind of law."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from specproof.simulations.claims.example_pairs import random_rows
from specproof.theory.distribution import Array
from specproof.theory.transport import (
    DraftSets,
    optimal_acceptance,
    optimal_acceptance_different,
    optimal_acceptance_without_replacement,
)


class Instance(NamedTuple):
    """What a number of drafts may be drawn from, and the law to be preserved."""

    drafts: Array
    """Laws of k independent drafts, shape (k, V); the first is also the one for i.i.d. and for distinct drafts."""
    joint: Array
    """A joint law of two drafts, shape (V, V)."""
    target: Array

    @property
    def num_drafts(self) -> int:
        """Number of i.i.d. drafts, and of drafts from different laws."""
        return len(self.drafts)

    @property
    def distinct(self) -> int:
        """Number of drafts without replacement: as many, if there are as many tokens."""
        return min(self.num_drafts, int(np.count_nonzero(self.drafts[0])))

    def sets(self, *, exact: bool = False) -> dict[str, DraftSets]:
        """Laws of the set of drafted tokens, by kind."""
        draft = self.drafts[0]
        return {
            "i.i.d.": DraftSets.iid(draft, self.num_drafts, exact=exact),
            "without replacement": DraftSets.without_replacement(draft, self.distinct, exact=exact),
            "different": DraftSets.of_different(self.drafts, exact=exact),
            "joint": DraftSets.of_joint(self.joint, exact=exact),
        }

    def closed_forms(self) -> dict[str, float]:
        """Optima that need no linear program, by kind."""
        draft = self.drafts[0]
        return {
            "i.i.d.": float(optimal_acceptance(draft, self.target, self.num_drafts)),
            "without replacement": float(optimal_acceptance_without_replacement(draft, self.target, self.distinct)),
            "different": optimal_acceptance_different(self.drafts, self.target),
        }


PLAIN = Instance(
    np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]),
    np.array([[0.0, 0.3, 0.2], [0.1, 0.0, 0.2], [0.2, 0.0, 0.0]]),
    np.array([0.2, 0.3, 0.5]),
)
"""Part of every batch: on it each kind of drafts has an optimum of its own, so that no wrong formula can pass."""


def random_instance(rng: np.random.Generator, largest: int, most: int) -> Instance:
    """Draw one over 2..largest tokens with 1..most drafts: any concentrations, often with zeros."""
    tokens, count = int(rng.integers(2, largest + 1)), int(rng.integers(1, most + 1))
    rows = rng.permutation(random_rows(rng, tokens, 8)[0])
    joint = random_rows(rng, tokens * tokens, 4)[0][rng.integers(4)]
    return Instance(rows[:count], joint.reshape(tokens, tokens), rows[-1])


def draw_instances(rng: np.random.Generator, number: int, *, largest: int, most: int) -> list[Instance]:
    """The plain one, and random ones."""
    return [PLAIN, *(random_instance(rng, largest, most) for _ in range(number - 1))]
