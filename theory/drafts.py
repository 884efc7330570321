"""How many drafts: the number k that every multi-draft rule takes, and other numbers that are counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.compiled import compiled
from specproof.theory.display import shown
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.integers import refuse_large_array

_MOST = np.iinfo(np.int64).max

_BLOCK = 1024
"""So many masses are worked on at a time."""


def as_num_drafts(num_drafts: ArrayLike) -> NDArray[np.int64]:
    """Check one or many numbers of drafts and return them as int64, shape as given.

    Raises
    ------
    InvalidInput
        If one is not an integer, or is below 1 or past the largest int64.
    """
    if type(num_drafts) is int and 1 <= num_drafts <= _MOST:  # as nearly always
        return np.array(num_drafts)
    try:
        counts = np.asarray(num_drafts)
    except ValueError as error:
        raise InvalidInput(f"num_drafts is not an array of integers ({error})") from None
    if counts.dtype.kind not in "iu" or counts.size == 0 or (counts > _MOST).any():
        found = f"of shape {counts.shape} and dtype {counts.dtype}" if counts.ndim else shown(num_drafts)
        raise InvalidInput(f"num_drafts is {found}: it must be an integer from 1 to {_MOST}, or an array of them")
    if (counts < 1).any():
        where, index = first_entry(counts < 1, "num_drafts")
        raise InvalidInput(f"{where} is {counts[index]}: it must be at least 1")
    return counts.astype(np.int64)


def one_num_drafts(num_drafts: ArrayLike) -> int:
    """Check a single number of drafts.

    Raises
    ------
    InvalidInput
        As :func:`as_num_drafts`, or if there are several.
    """
    if type(num_drafts) is int and 1 <= num_drafts <= _MOST:
        return num_drafts
    counts = as_num_drafts(num_drafts)
    if counts.ndim:
        raise InvalidInput(f"num_drafts has shape {counts.shape}: give one number of drafts here")
    return int(counts)


def num_drafts_of_array(num_drafts: ArrayLike, shape: tuple[int, ...]) -> int:
    """Check a single number of drafts where an array of shape (..., k) is to be made.

    Raises
    ------
    InvalidInput
        As :func:`one_num_drafts`, or if the array would have more than ``LARGEST_ARRAY`` entries.

    Examples
    --------
    >>> num_drafts_of_array(2, (3,))
    2
    """
    count = one_num_drafts(num_drafts)
    refuse_large_array("num_drafts", count, (*shape, count))
    return count


def hit_probability(mass: Array, num_drafts: int) -> Array:
    """g(t) = 1 - (1 - t)^k: the chance that one of k independent drafts falls into a set of draft mass t.

    Built from the binary digits of k, as g of 2m drafts is g_m + (1 - g_m) g_m and that of one more g_m + (1 - g_m) t.
    All terms are positive, so that a tiny mass keeps its digits, and there is no logarithm to wait for.

    Examples
    --------
    >>> hit_probability(np.array([0.5, 1e-300]), 3).tolist()
    [0.875, 3e-300]
    """
    once = np.asarray(np.minimum(mass, 1.0), order="C")
    hit: Array = np.empty(once.shape)
    fill_hits(once.reshape(-1), num_drafts, hit.reshape(-1))
    return hit[()]


@compiled(nogil=True)
def fill_hits(once: Array, num_drafts: int, hit: Array) -> None:
    """Fill in g of masses that are at most 1, block by block: what a digit of k needs stays where it is fast to reach.

    Examples
    --------
    >>> hit = np.empty(1)
    >>> fill_hits(np.array([0.5]), 2, hit)
    >>> hit.tolist()
    [0.75]
    """
    digits = 1
    while num_drafts >> digits:
        digits += 1
    for begin in range(0, once.size, _BLOCK):
        end = min(begin + _BLOCK, once.size)
        hit[begin:end] = once[begin:end]
        for digit in range(digits - 2, -1, -1):
            one_more = (num_drafts >> digit) & 1
            for place in range(begin, end):
                twice = hit[place] + (1.0 - hit[place]) * hit[place]
                hit[place] = twice + (1.0 - twice) * once[place] if one_more else twice
