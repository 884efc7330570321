"""Stacks of pairs of laws, worked on some rows at a time: they need little memory beside what is given."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.distribution import Array, as_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.rows import in_threads

_ENTRIES = 2**18
"""So many entries of each law are checked and worked on together, or a row where that has more."""

_LONG_ROW = 2**15
"""Rows of so many entries are worked on alone."""

_SMALL = 2**20
"""Stacks of no more entries are worked on as a whole."""


def by_blocks(work: Callable[[Array, Array], Array], draft: ArrayLike, target: ArrayLike) -> Array:
    """Check pairs of laws and work on them, in blocks of rows on all cores where there are many.

    Parameters
    ----------
    work : callable
        From checked laws of shape (n, V), or (..., V), to one entry or more of each row, shape (n, ...).
    draft, target : array_like, shape (..., V)
        Leading axes broadcast. A block of large arrays of NumPy is made float64 and normalised when its turn comes.

    Returns
    -------
    array, shape (..., ...)
        What ``work`` makes of all rows together.

    Raises
    ------
    InvalidInput
        As :func:`~specproof.theory.distribution.as_pair`.

    Examples
    --------
    >>> by_blocks(lambda draft, target: np.minimum(draft, target).sum(axis=-1), [0.5, 0.5], [[0.25, 0.75], [1.0, 0.0]])
    array([0.75, 0.5 ])
    """
    if not (isinstance(draft, np.ndarray) and isinstance(target, np.ndarray)) or draft.ndim == target.ndim == 1:
        return work(*as_pair(draft, target))
    try:
        leading = np.broadcast_shapes(draft.shape[:-1], target.shape[:-1])
    except (ValueError, RuntimeError):  # they do not match, or have too many axes: as_pair says so
        leading = ()
    rows = math.prod(leading)
    vocabulary = draft.shape[-1] if draft.ndim else 0
    if rows < 2 or rows * vocabulary <= _SMALL:
        return work(*as_pair(draft, target))
    step = 1 if vocabulary >= _LONG_ROW else _ENTRIES // vocabulary
    spread = [np.broadcast_to(law, (*leading, law.shape[-1])) for law in (draft, target)]

    def block(first: int) -> Array:
        places = np.unravel_index(np.arange(first, min(first + step, rows)), leading)
        return work(*as_pair(*(law[places] for law in spread)))

    try:
        found = np.concatenate(list(in_threads(block, range(0, rows, step))))
    except InvalidInput:
        as_pair(draft, target)  # which names the row by its place in the stack
        raise
    return found.reshape(*leading, *found.shape[1:])
