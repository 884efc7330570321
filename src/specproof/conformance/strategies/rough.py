"""Laws whose entries are any floating-point numbers, so that sums round: for tests of numerical code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from specproof.conformance.problems.degenerate_pairs import Pair
from specproof.theory.chain import Chain, MarkovChain, TabularModel
from specproof.theory.distribution import Array

MARKOV = ("stationary", "non-stationary")
"""The kinds of :func:`rough_chains` that remember one token."""

_ENTRIES = st.one_of(st.sampled_from([0.0, 5e-324, 1e-310, 1e-300, 1e-17, 0.5, 1.0]), st.floats(0.0, 1.0))


@st.composite
def rough_laws(draw: st.DrawFn, size: int) -> Array:
    """Draw a law, often with zeros, ties and tiny entries, now and then in float32; shape (size,)."""
    weights = np.array(draw(st.lists(_ENTRIES, min_size=size, max_size=size)))
    if weights.sum() < 0.01:
        weights[draw(st.integers(0, size - 1))] = 1.0
    law: Any = weights / weights.sum()
    found: Array = law.astype(np.float32) if draw(st.integers(0, 5)) == 0 else law
    return found


@st.composite
def rough_pairs(draw: st.DrawFn, largest: int = 6) -> Pair:
    """Draw a draft and a target over 1 to ``largest`` tokens, now and then equal."""
    size = draw(st.integers(1, largest))
    draft = draw(rough_laws(size))
    return draft, draft if draw(st.integers(0, 9)) == 0 else draw(rough_laws(size))


@st.composite
def rough_chains(
    draw: st.DrawFn, states: int = 3, longest: int = 4, kinds: Sequence[str] = (*MARKOV, "tabular")
) -> tuple[Chain, Chain]:
    """Draw a draft and a target over 1..``states`` states and 1..``longest`` positions, now and then equal.

    They are Markov chains of either kind, or tables of the whole history; their rows are those of :func:`rough_laws`.
    """
    size, horizon = draw(st.integers(1, states)), draw(st.integers(1, longest))
    kind = draw(st.sampled_from(kinds))
    draft = draw(_models(kind, size, horizon))
    return draft, draft if draw(st.integers(0, 9)) == 0 else draw(_models(kind, size, horizon))


@st.composite
def _models(draw: st.DrawFn, kind: str, size: int, horizon: int) -> Chain:
    # Four rows, and a seed that says which stands where: 3^4 numbers drawn one by one would take seconds.
    choice = [draw(rough_laws(size)).astype(float) for _ in range(4)]
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))

    def table(*shape: int) -> Any:
        return np.array(choice)[rng.integers(len(choice), size=shape)]

    if kind == "tabular":
        return TabularModel([table(*(size,) * index) for index in range(horizon)])
    return (
        MarkovChain(table(), table(size), horizon)
        if kind == "stationary"
        else MarkovChain(table(), table(horizon - 1, size))
    )
