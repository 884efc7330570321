"""Laws of simple fractions, pairs of them, and drafts."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from specproof.theory.distribution import Array, as_distribution
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

LARGEST_WEIGHT = 6
"""Laws are integer weights of at most this size, over their sum."""
TINY = (1e-300, 5e-324)
"""Entries that laws may have besides."""


@st.composite
def distributions(draw: st.DrawFn, num_tokens: int | None = None, *, tiny: bool = True) -> Array:
    """Draw a law of small integer weights, divided by their sum; shape (V,).

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
    """Draw a draft and a target over one vocabulary, now and then equal; each of shape (V,).

    Parameters
    ----------
    num_tokens, tiny
        The arguments of :func:`distributions`.

    Raises
    ------
    InvalidInput
        If V is not an integer >= 1.
    """
    draft = draw(distributions(num_tokens, tiny=tiny))
    equal = draw(st.integers(0, 9)) == 9
    return draft, draft if equal else draw(distributions(draft.size, tiny=tiny))


def drafts(draft: ArrayLike, num_drafts: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Draw tokens that draws from a law can be, duplicates included: a tuple of ``num_drafts``.

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
