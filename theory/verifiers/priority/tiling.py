r"""Cutting [0, 1] into one set for each token: the tiling that the priority coupling stands on.

The highest of k independent uniform numbers lies in a set B with probability :math:`m(B) = \int_B k s^{k-1} ds`, its
mass. Tokens are placed in ascending order of q/p, each on a *stretch* of what is still free: free points of total
length p that are consecutive but for what was taken before. Moving a stretch up raises its mass, and there are three
cases.

* The lowest stretch already has more mass than q: it is taken, and the token will be thinned.
* The highest stretch has no more mass than q: it is taken, and the token gets less than it wants. So does every later
  one, as they want more for each unit of length and what is free lies lower.
* Otherwise some stretch in between has mass q exactly, and is taken.

Every stretch ends above all that was placed before, so free space is a stack of segments.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.verifiers.priority.powers import power_quotient
from specproof.theory.verifiers.priority.segments import (
    FreeSpace,
    Pieces,
    add_piece,
    drop_segment,
    push_segment,
    put_before,
)
from specproof.theory.verifiers.priority.stretches import near_cut, partial_cut, upper_end


class Tiling(NamedTuple):
    """Intervals of many rows, one after the other; those of one token are consecutive, in the order of placing.

    Only the order of the intervals along [0, 1] and their lengths matter, and nothing that was computed on the way to
    them: ``starts`` are the sums of the lengths below.
    """

    starts: Array
    lengths: Array
    tokens: NDArray[np.int64]
    offsets: NDArray[np.int64]
    """Row r has the intervals ``offsets[r]:offsets[r + 1]``."""
    first: NDArray[np.int64]
    """Each token's first interval, counted over all rows, or -1 where it has none, shape (R, V)."""
    won: Array
    """Each token's mass, shape (R, V)."""


@compiled(error_model="numpy")
def tile_rows(draft: Array, target: Array, order: NDArray[np.int64], num_drafts: int) -> Tiling:
    """Tile every row of trusted distributions, shape (R, V); ``order`` has the tokens by q/p ascending."""
    rows, vocabulary = draft.shape
    capacity = 2 * vocabulary + 1  # a segment is pushed only where a token takes one piece
    size = rows * capacity
    # One piece of memory: what is handed back to the system has to be asked for again, a page at a time.
    whole = np.empty(3 * size + 2 * rows * vocabulary)
    starts, lengths, tokens = whole[:size], whole[size : 2 * size], whole[2 * size : 3 * size].view(np.int64)
    won, places = whole[3 * size :].reshape(2, rows, vocabulary)
    first = places.view(np.int64)
    first[:] = -1
    above = np.empty(capacity, dtype=np.int32)
    free = FreeSpace(
        np.empty(vocabulary + 2),
        np.empty(vocabulary + 2),
        np.empty(vocabulary + 2, dtype=np.int32),
        np.empty(vocabulary + 2, dtype=np.int32),
    )
    masses = free.bottoms[:vocabulary]  # once all is placed
    offsets = np.zeros(rows + 1, dtype=np.int64)
    for row in range(rows):
        begin, ranked = offsets[row], order[row]
        pieces = Pieces(lengths[begin:], tokens[begin:], above)
        # Tokens go by their rank until all is placed: what is read and written lies side by side then.
        proposed, wanted = starts[begin : begin + vocabulary], starts[begin + vocabulary :]  # nothing starts yet
        for rank in range(vocabulary):
            proposed[rank], wanted[rank] = draft[row, ranked[rank]], target[row, ranked[rank]]
        count = _cut(proposed, wanted, num_drafts, free, pieces)
        offsets[row + 1] = begin + count
        masses[:] = 0.0
        _settle(free.lowest[0], pieces, starts[begin:], masses, num_drafts)
        for rank in range(vocabulary):
            won[row, ranked[rank]] = masses[rank]
        for piece in range(count - 1, -1, -1):
            pieces.tokens[piece] = ranked[pieces.tokens[piece]]
            first[row, pieces.tokens[piece]] = begin + piece
    end = offsets[rows]
    return Tiling(starts[:end], lengths[:end], tokens[:end], offsets, first, won)


@compiled(error_model="numpy")
def _cut(draft: Array, target: Array, num_drafts: int, free: FreeSpace, pieces: Pieces) -> int:
    """Place all tokens of one row, by q/p ascending; return how many pieces, their list being that of level 0."""
    free.bottoms[:2] = 0.0
    free.lengths[0] = 0.0
    free.lowest[:2] = -1
    free.highest[:2] = -1
    top, count, capped = 1, 0, False
    for token in range(draft.size):
        length, wanted, bottom = draft[token], target[token], free.bottoms[top]
        if length == 0.0:  # never drafted
            continue
        end, excess = 0.0, 0.0
        if not capped:
            excess = length * power_quotient(bottom + length, bottom, num_drafts) - wanted
            if excess < 0.0:
                end = upper_end(length, wanted, num_drafts) if wanted < num_drafts * length else np.inf
            capped = end >= 1.0 and end - length > bottom
            if capped:
                free.lengths[top] = 1.0 - bottom
        if capped:
            top, count = _take_highest(free, pieces, top, count, token, length)
            continue
        gap = end - length - bottom
        if gap > 0.0:
            free.lengths[top] = gap
            free.lowest[top] = free.highest[top] = count
            count = add_piece(pieces, count, token, length, -1)
            top = push_segment(free, top, end)
            continue
        level, cut = top - 1, -1.0
        if level > 0 and bottom + length <= 1.0:
            edge = free.bottoms[level] + free.lengths[level]
            cut = near_cut(bottom, length, edge, excess, wanted, num_drafts)
        if 0.0 < cut < min(free.lengths[level], length):
            count = _surround(free, pieces, level, count, token, length - cut, cut)
            top = push_segment(free, level, bottom + (length - cut))
        else:
            top, count, capped = _step_over(free, pieces, top, count, token, length, wanted, num_drafts)
    for level in range(top, 0, -1):
        drop_segment(free, pieces, level)
    return count


@compiled(error_model="numpy")
def _surround(free: FreeSpace, pieces: Pieces, level: int, count: int, token: int, upper: float, lower: float) -> int:
    """Place a token on either side of what was taken above a segment: as nearly all are, and so without a loop.

    An array is counted, atomically, by every call that is not made one with what calls it, as one with a loop is not.
    """
    chain = put_before(pieces, free.lowest[level], free.highest[level], count)
    add_piece(pieces, count, token, upper, -1)
    add_piece(pieces, count + 1, token, lower, chain)
    free.lowest[level], free.highest[level] = count + 1, count
    free.lengths[level] -= lower
    return count + 2


@compiled(error_model="numpy")
def _step_over(
    free: FreeSpace, pieces: Pieces, top: int, count: int, token: int, length: float, wanted: float, num_drafts: int
) -> tuple[int, int, bool]:
    """Place a token from the bottom of the highest segment downwards, across what was taken before.

    Lower segments are swallowed whole while the mass stays at least q; the next one is cut where it becomes q. Without
    any left the token stays on the lowest stretch there is.
    """
    bottom, room, mass, cut, capped = free.bottoms[top], length, 0.0, 0.0, False
    level = top - 1
    while level > 0:
        segment, base = free.lengths[level], free.bottoms[level]
        rest = room - segment
        if rest > 0.0:
            swallowed = mass + segment * power_quotient(base + segment, base, num_drafts)
            upper = rest * power_quotient(bottom + rest, bottom, num_drafts)
            if bottom + rest > 1.0 or upper + swallowed >= wanted:
                room, mass, level = rest, swallowed, level - 1
                continue
        cut, capped = partial_cut(bottom, room, mass, base + segment, segment, wanted, num_drafts)
        break
    chain, last = -1, -1
    if room > cut:  # equal only where rounding hides the difference
        chain, last, count = count, count, add_piece(pieces, count, token, room - cut, -1)
    for passed in range(top - 1, level - 1, -1):
        last = free.highest[passed] if last < 0 else last
        chain = put_before(pieces, free.lowest[passed], free.highest[passed], chain)
        part = cut if passed == level else free.lengths[passed]
        if part > 0.0:
            last = count if last < 0 else last
            chain, count = count, add_piece(pieces, count, token, part, chain)
    free.lowest[level], free.highest[level] = chain, last
    free.lengths[level] -= cut
    top = push_segment(free, level, bottom + (room - cut))
    if capped:
        free.lengths[top] = 1.0 - free.bottoms[top]
    return top, count, capped


@compiled(error_model="numpy")
def _take_highest(free: FreeSpace, pieces: Pieces, top: int, count: int, token: int, length: float) -> tuple[int, int]:
    """Place a token on the highest stretch; where rounding has left too little, the lowest segment gives the rest."""
    while length > 0.0:
        part = length if top == 1 else min(length, free.lengths[top])
        if part > 0.0:
            if free.lowest[top] < 0:
                free.highest[top] = count
            free.lowest[top], count = count, add_piece(pieces, count, token, part, free.lowest[top])
            free.lengths[top] -= part
            length -= part
        if top > 1 and free.lengths[top] <= 0.0:
            drop_segment(free, pieces, top)
            top -= 1
    return top, count


@compiled(error_model="numpy")
def _settle(lowest: int, pieces: Pieces, starts: Array, masses: Array, num_drafts: int) -> None:
    """Sum the lengths from the lowest piece up (Kahan 1965) into ``starts``, and add what is won on the pieces."""
    piece, start, total, lost = lowest, 0.0, 0.0, 0.0
    while piece >= 0:
        length = pieces.lengths[piece]
        starts[piece] = start
        masses[pieces.tokens[piece]] += length * power_quotient(start + length, start, num_drafts)
        grown = length - lost
        reached = total + grown
        lost = (reached - total) - grown
        total = reached
        start = max(start, total)  # a correction may take a unit in the last place back
        piece = pieces.above[piece]
