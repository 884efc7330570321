"""Walking two models in step: the laws at each position, given every context, and measures of contexts.

The contexts of position n are the states of x_{n-1} for Markov chains and all x_{<n} for tabular models; at n = 1 there
is only the empty one. A measure of contexts is an array with one entry for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from specproof.theory.chain import Chain, MarkovChain
from specproof.theory.distribution import Array

Found = TypeVar("Found")

EMPTY = np.ones(())
"""Before position 1 there is one context, the empty one, of measure 1."""


def walk(draft: Chain, target: Chain, compute: Callable[[Array, Array], Found]) -> Iterator[tuple[Array, Found]]:
    """Yield q_n and ``compute(p_n, q_n)`` for n = 1..T, computing once for steps that share their matrices.

    Laws have the contexts on their leading axes and the vocabulary on the last.
    """
    previous: tuple[Array, Array, Found] | None = None
    for proposal, law in zip(_laws(draft), _laws(target), strict=True):
        if previous is None or proposal is not previous[0] or law is not previous[1]:
            previous = (proposal, law, compute(proposal, law))
        yield law, previous[2]


def advance(model: Chain, measure: Array, kernel: Array) -> Array:
    """Carry a measure of the contexts of one position to those of the next, by a kernel of shape (contexts, V)."""
    if isinstance(model, MarkovChain) and measure.ndim:
        carried: Array = measure @ kernel
        return carried
    return measure[..., np.newaxis] * kernel


def _laws(model: Chain) -> Iterator[Array]:
    if isinstance(model, MarkovChain):
        yield model.initial
        for position in range(2, model.horizon + 1):
            yield model.transition(position)
    else:
        yield from model.conditionals
