"""Pairs of laws for property tests, degenerate corners included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import example
from hypothesis import strategies as st
from numpy.typing import NDArray

from specproof.theory.chain import Chain, MarkovChain, TabularModel

Array = NDArray[np.floating[Any]]
Pair = tuple[Array, Array]

DEGENERATE: dict[str, Pair] = {
    "equal": (np.array([0.2, 0.3, 0.5]), np.array([0.2, 0.3, 0.5])),
    "equal up to rounding": (np.array([0.5, 0.5, 0.0]), np.array([np.nextafter(0.5, 0), 0.5, 0.0])),
    "disjoint": (np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.0, 0.0, 0.25, 0.75])),
    "one token": (np.array([1.0]), np.array([1.0])),
    "point masses": (np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])),
    "zeros on both sides": (np.array([0.0, 0.5, 0.25, 0.25, 0.0]), np.array([0.25, 0.0, 0.5, 0.25, 0.0])),
    "ties": (np.array([0.25, 0.25, 0.25, 0.25]), np.array([0.4, 0.4, 0.1, 0.1])),
    "1e-300": (np.array([1e-300, 0.5, 0.5]), np.array([0.5, 0.5, 1e-300])),
    "denormal": (np.array([5e-324, 1e-310, 1.0]), np.array([0.5, 0.5, 5e-324])),
    "minus zero": (np.array([-0.0, 0.5, 0.5]), np.array([0.5, 0.5, -0.0])),
    "float32": (np.array([0.1, 0.2, 0.7], np.float32), np.array([0.3, 0.3, 0.4], np.float32)),
}

_ENTRIES = st.one_of(st.sampled_from([0.0, 5e-324, 1e-310, 1e-300, 1e-17, 0.5, 1.0]), st.floats(0.0, 1.0))


@st.composite
def rows(draw: st.DrawFn, size: int) -> Array:
    """One law, often with zeros, ties and tiny entries, now and then in float32."""
    weights = np.array(draw(st.lists(_ENTRIES, min_size=size, max_size=size)))
    if weights.sum() < 0.01:
        weights[draw(st.integers(0, size - 1))] = 1.0
    law = weights / weights.sum()
    return law.astype(np.float32) if draw(st.integers(0, 5)) == 0 else law


@st.composite
def pairs(draw: st.DrawFn, largest: int = 6) -> Pair:
    """A draft and a target over 1 to ``largest`` tokens, now and then equal."""
    size = draw(st.integers(1, largest))
    draft = draw(rows(size))
    return draft, draft if draw(st.integers(0, 9)) == 0 else draw(rows(size))


MARKOV = ("stationary", "non-stationary")


@st.composite
def chains(
    draw: st.DrawFn, states: int = 3, longest: int = 4, kinds: Sequence[str] = (*MARKOV, "tabular")
) -> tuple[Chain, Chain]:
    """A draft and a target over 1..``states`` states and 1..``longest`` positions, now and then equal.

    Markov chains of either kind, or tables of the whole history; their rows are those of :func:`rows`.
    """
    size, horizon = draw(st.integers(1, states)), draw(st.integers(1, longest))
    kind = draw(st.sampled_from(kinds))
    draft = draw(_models(kind, size, horizon))
    return draft, draft if draw(st.integers(0, 9)) == 0 else draw(_models(kind, size, horizon))


@st.composite
def _models(draw: st.DrawFn, kind: str, size: int, horizon: int) -> Chain:
    # Four rows, and a seed that says which stands where: 3^4 numbers drawn one by one would take seconds.
    choice = [draw(rows(size)).astype(float) for _ in range(4)]
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))

    def table(*shape: int) -> Array:
        return np.array(choice)[rng.integers(len(choice), size=shape)]

    if kind == "tabular":
        return TabularModel([table(*(size,) * index) for index in range(horizon)])
    return (
        MarkovChain(table(), table(size), horizon)
        if kind == "stationary"
        else MarkovChain(table(), table(horizon - 1, size))
    )


def with_degenerate(**fixed: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add every degenerate pair as an example of a property of ``pair``, with the other arguments fixed."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        for pair in DEGENERATE.values():
            test = example(pair=pair, **fixed)(test)
        return test

    return decorate
