"""Rows without the tokens that cannot be drafted: all that a rule's acceptance depends on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from specproof.theory.distribution import Array


def of_draftable(
    find: Callable[[Array, Array, int], float], draft: Array, target: Array, num_drafts: int
) -> Array:
    """What a function makes of each row, of the tokens with p > 0 and of all others as one last token.

    Parameters
    ----------
    find : callable
        From the two laws of one row and the number of drafts, which is at most the number of tokens with p > 0.
    draft, target : array, shape (..., V)
        Trusted.
    num_drafts : int

    Examples
    --------
    >>> law = np.array([[0.5, 0.0, 0.5, 0.0]])
    >>> of_draftable(lambda draft, target, count: draft.size * count, law, law, 4).tolist()
    [6.0]
    """
    found = np.empty(draft.shape[:-1])
    for row in np.ndindex(found.shape):
        can = draft[row] > 0
        others = float(target[row][~can].sum())
        count = min(num_drafts, int(np.count_nonzero(can)))
        found[row] = find(np.append(draft[row][can], 0.0), np.append(target[row][can], others), count)
    return found
