"""The tokens that can be drafted: all that a rule's acceptance depends on, and what a dear law is limited by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from specproof.theory.display import shown
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput

MOST_SORTED = 2**16
"""A law that takes a sort of each row is computed of at most so many tokens that can be drafted."""


def of_draftable(find: Callable[[Array, Array, int], float], draft: Array, target: Array, num_drafts: int) -> Array:
    """What a function makes of each row without the tokens that cannot be drafted, shape (...).

    Parameters
    ----------
    find : callable
        From two arrays of shape (n,), p > 0 and q of the tokens that can be drafted, and of a number of drafts that is
        at most n. What is missing of q to 1 cannot be drafted.
    draft, target : array, shape (..., V)
        Trusted.
    num_drafts : int

    Examples
    --------
    >>> law = np.array([[0.5, 0.0, 0.5, 0.0]])
    >>> of_draftable(lambda draft, target, count: draft.size * count, law, law, 4).tolist()
    [4.0]
    """
    found = np.empty(draft.shape[:-1])
    for row in np.ndindex(found.shape):
        can = draft[row] > 0
        found[row] = find(draft[row][can], target[row][can], min(num_drafts, int(np.count_nonzero(can))))
    return found


def with_others(draft: Array, target: Array) -> tuple[Array, Array]:
    """Two laws again, of tokens that can be drafted: what is missing of q to 1 is that of one more token.

    Examples
    --------
    >>> [law.tolist() for law in with_others(np.array([0.5, 0.5]), np.array([0.25, 0.25]))]
    [[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]
    """
    return np.append(draft, 0.0), np.append(target, max(1.0 - float(target.sum()), 0.0))


def overlap(draft: Array, target: Array) -> Array:
    """What one draft accepts, the sum of min(p, q), shape (...), of laws of which mass may be missing.

    Examples
    --------
    >>> float(overlap(np.array([0.5, 0.5]), np.array([0.25, 0.5])))
    0.75
    """
    shared: Array = np.minimum(draft, target).sum(axis=-1)
    return np.minimum(shared, 1.0)


def refuse_dear(tokens: int, num_drafts: int, most: int) -> None:
    """Refuse a row of which more tokens can be drafted than a law is computed for.

    Raises
    ------
    InvalidInput
        If there are more.

    Examples
    --------
    >>> refuse_dear(3, num_drafts=2, most=3)
    """
    if tokens > most:
        raise InvalidInput(
            f"num_drafts is {shown(num_drafts)} and {tokens:,} tokens can be drafted, and of more than {most:,} "
            "the law is too dear: cut the draft by top_k or top_p"
        )
