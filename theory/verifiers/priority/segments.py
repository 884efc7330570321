"""Free space while tokens are placed: a stack of segments, and the linked list of the pieces between them.

Everything happens in arrays that are made once for many rows; arguments are trusted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array


class Pieces(NamedTuple):
    """Intervals as they are cut, linked from the lowest to the highest."""

    lengths: Array
    tokens: NDArray[np.int64]
    above: NDArray[np.int32]


class FreeSpace(NamedTuple):
    """The stack of free segments, lowest first, each with the list of the pieces between it and the next.

    Level 0 is the floor, of length 0; the highest segment reaches up to 1.
    """

    bottoms: Array
    lengths: Array
    lowest: NDArray[np.int32]
    highest: NDArray[np.int32]


@compiled(error_model="numpy")
def add_piece(pieces: Pieces, count: int, token: int, length: float, above: int) -> int:
    """Write down one more piece, below ``above``."""
    pieces.lengths[count] = length
    pieces.tokens[count] = token
    pieces.above[count] = above
    return count + 1


@compiled(error_model="numpy")
def put_before(pieces: Pieces, lowest: int, highest: int, chain: int) -> int:
    """Put a list of pieces below a chain; return where the whole begins."""
    if lowest < 0:
        return chain
    pieces.above[highest] = chain
    return lowest


@compiled(error_model="numpy")
def push_segment(free: FreeSpace, level: int, bottom: float) -> int:
    """Let the highest segment begin at ``bottom``, above level ``level``."""
    free.bottoms[level + 1] = bottom
    free.lowest[level + 1] = free.highest[level + 1] = -1
    return level + 1


@compiled(error_model="numpy")
def drop_segment(free: FreeSpace, pieces: Pieces, level: int) -> None:
    """Forget a free segment: its pieces now lie on those of the level below."""
    if free.lowest[level] < 0:
        return
    if free.lowest[level - 1] < 0:
        free.lowest[level - 1] = free.lowest[level]
    else:
        pieces.above[free.highest[level - 1]] = free.lowest[level]
    free.highest[level - 1] = free.highest[level]
