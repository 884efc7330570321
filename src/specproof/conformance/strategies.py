"""Hypothesis strategies for laws, models and problems: ``@given(problems())`` in anybody's property tests.

Everything shrinks to few tokens, short drafts and simple fractions. Zeros, ties, point masses, equal and disjoint laws
and (of models, at the first position only) entries of 1e-300 and below come up on their own.

A strategy that is asked for what cannot be raises InvalidInput, most of them when they are first drawn from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from specproof.conformance.problems import CONTRACTS, ChainProblem, GenerateProblem, MultiProblem, Problem
from specproof.theory.chain import LARGEST_TABLE, MarkovChain, TabularModel
from specproof.theory.distribution import Array, as_distribution
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

LARGEST_WEIGHT = 6
TINY = (1e-300, 5e-324)

_SIZES = st.integers(2, 4)


@st.composite
def distributions(draw: st.DrawFn, num_tokens: int | None = None, *, tiny: bool = True) -> Array:
    """A law of small integer weights, divided by their sum; shape (V,).

    Parameters
    ----------
    num_tokens : int, optional
        V; default 1 to 5.
    tiny : bool
        Whether an entry may be 1e-300 or 5e-324.

    Raises
    ------
    InvalidInput
        If V is not an integer >= 1.
    """
    size = draw(st.integers(1, 5)) if num_tokens is None else positive_integer(num_tokens, "num_tokens")
    entries = st.integers(0, LARGEST_WEIGHT).map(float)
    if tiny:
        entries = st.one_of(entries, entries, entries, st.sampled_from(TINY))
    weights = np.array(draw(st.lists(entries, min_size=size, max_size=size)))
    if weights.max() < 1:
        weights[draw(st.integers(0, size - 1))] = 1.0
    law: Array = weights / weights.sum()
    return law


@st.composite
def pairs(draw: st.DrawFn, num_tokens: int | None = None, *, tiny: bool = True) -> tuple[Array, Array]:
    """A draft and a target over one vocabulary, now and then equal; each of shape (V,).

    Parameters
    ----------
    num_tokens, tiny
        As of :func:`distributions`.

    Raises
    ------
    InvalidInput
        If V is not an integer >= 1.
    """
    draft = draw(distributions(num_tokens, tiny=tiny))
    equal = draw(st.integers(0, 9)) == 9
    return draft, draft if equal else draw(distributions(draft.size, tiny=tiny))


@st.composite
def markov_chains(draw: st.DrawFn, num_tokens: int | None = None, horizon: int | None = None) -> MarkovChain:
    """A chain with one transition matrix.

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
    """A model without memory, or one whose laws depend on the last token, or on the last two.

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


def drafts(draft: ArrayLike, num_drafts: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Tokens that draws from a law can be, duplicates included: a tuple of ``num_drafts``.

    Parameters
    ----------
    draft : array_like, shape (V,)
    num_drafts : int

    Raises
    ------
    InvalidInput
        If the draft is not one distribution or the number not an integer >= 1; at once.
    """
    law, count = as_distribution(draft, "draft"), one_num_drafts(num_drafts)
    if law.ndim != 1:
        raise InvalidInput(f"draft has shape {law.shape}: it must be one distribution of shape (V,)")
    return st.tuples(*[st.sampled_from(np.flatnonzero(law > 0).tolist())] * count)


@st.composite
def chain_problems(draw: st.DrawFn) -> ChainProblem:
    """Problems of the contract chain: 1 to 3 drafted tokens, 2 to 4 tokens in the vocabulary."""
    length, size = draw(st.integers(1, 3)), draw(st.integers(2, 4))
    return ChainProblem(draw(tabular_models(size, length)), draw(tabular_models(size, length + 1)))


@st.composite
def multi_problems(draw: st.DrawFn) -> MultiProblem:
    """Problems of the contract multi: 1 to 4 drafts."""
    return MultiProblem(*draw(pairs()), draw(st.integers(1, 4)))


@st.composite
def generate_problems(draw: st.DrawFn) -> GenerateProblem:
    """Problems of the contract generate: a prompt of 0 or 1 tokens, 1 to 3 generated, models defined for 2 more."""
    size, length = draw(st.integers(2, 3)), draw(st.integers(1, 3))
    prompt = tuple(draw(st.lists(st.integers(0, size - 1), max_size=1)))
    horizon = len(prompt) + length + 2
    return GenerateProblem(draw(tabular_models(size, horizon)), draw(tabular_models(size, horizon)), prompt, length)


_PROBLEMS: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
    "chain": chain_problems,
    "multi": multi_problems,
    "generate": generate_problems,
}


def problems(contract: str | None = None) -> st.SearchStrategy[Problem]:
    """Problems of one contract, or of all.

    Parameters
    ----------
    contract : {"chain", "multi", "generate"}, optional

    Raises
    ------
    InvalidInput
        If there is no such contract; at once.
    """
    if contract is not None and contract not in CONTRACTS:
        raise InvalidInput(f"contract is {contract!r}: it must be one of {', '.join(CONTRACTS)}")
    return st.one_of([_PROBLEMS[name]() for name in (CONTRACTS if contract is None else (contract,))])
