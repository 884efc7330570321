"""Markov chains and tabular models of simple fractions."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from specproof.conformance.strategies.laws import distributions
from specproof.theory.chain import LARGEST_TABLE, MarkovChain, TabularModel
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

_SIZES = st.integers(2, 4)


@st.composite
def markov_chains(draw: st.DrawFn, num_tokens: int | None = None, horizon: int | None = None) -> MarkovChain:
    """Draw a chain with one transition matrix.

    Parameters
    ----------
    num_tokens : int, optional
        V; default 2 to 4.
    horizon : int, optional
        Default 1 to 4.

    Raises
    ------
    InvalidInput
        If V or the horizon is not an integer >= 1.
    """
    size = draw(_SIZES) if num_tokens is None else positive_integer(num_tokens, "num_tokens")
    steps = draw(st.integers(1, 4)) if horizon is None else positive_integer(horizon, "horizon")
    rows = draw(st.lists(distributions(size, tiny=False), min_size=size, max_size=size))
    return MarkovChain(draw(distributions(size)), np.array(rows), steps)


@st.composite
def tabular_models(draw: st.DrawFn, num_tokens: int | None = None, horizon: int | None = None) -> TabularModel:
    """Draw a model without memory, or one whose laws depend on the last token, or on the last two.

    Parameters
    ----------
    num_tokens : int, optional
        V; default 2 to 4.
    horizon : int, optional
        T; default 1 to 3.

    Raises
    ------
    InvalidInput
        If V or T is not an integer >= 1, or V**T entries are more than a table may have.
    """
    size = draw(_SIZES) if num_tokens is None else positive_integer(num_tokens, "num_tokens")
    steps = draw(st.integers(1, 3)) if horizon is None else positive_integer(horizon, "horizon")
    if steps * np.log2(size) > np.log2(LARGEST_TABLE):  # before they are drawn
        raise InvalidInput(f"horizon is {steps}: {size}**{steps} entries are more than a table has, {LARGEST_TABLE}")
    memory = draw(st.integers(0, 2))
    tables = []
    for index in range(steps):
        kept = min(memory, index)
        rows = draw(st.lists(distributions(size, tiny=index == 0), min_size=size**kept, max_size=size**kept))
        table = np.array(rows).reshape((1,) * (index - kept) + (size,) * (kept + 1))
        tables.append(np.broadcast_to(table, (size,) * (index + 1)))
    return TabularModel(tables)
