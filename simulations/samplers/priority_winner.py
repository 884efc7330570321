"""Which of given drafts has the highest priority, once uniforms say where in its set each of them lies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput, entry


class PrioritySets(NamedTuple):
    """Where the sets of R rows lie, of tokens or of buckets of tokens."""

    length: Array
    """The length of each set, shape (R, B)."""
    first: NDArray[np.int64]
    """Each set's first interval, or -1, shape (R, B)."""
    starts: Array
    """Where each interval begins, shape (N,), as the next two; the intervals of one set are consecutive."""
    lengths: Array
    """How long each interval is."""
    owners: NDArray[np.int64]
    """Whose each interval is."""
    offsets: NDArray[np.int64]
    """Where the intervals of each row begin, and where the last row's end."""


@compiled()
def win_all(
    sets: PrioritySets, rows: NDArray[np.int64], drawn: NDArray[np.int64], uniforms: Array, winners: NDArray[np.int64]
) -> int:
    """Find the draft of the highest priority in each trial; return the place of the first impossible one, or -1."""
    for trial in range(rows.size):
        winners[trial] = win(sets, rows[trial], drawn[trial], uniforms[trial])
        if winners[trial] < 0:
            place: int = trial * drawn.shape[1] - winners[trial] - 1
            return place
    return -1


@compiled()
def win(sets: PrioritySets, row: int, drawn: NDArray[np.int64], uniforms: Array) -> int:
    """The draft of the highest priority, which draws from set ``drawn[l]``; or -1 - l if draft l is impossible."""
    end = sets.offsets[row + 1]
    best, winner = -1.0, -1
    for index in range(drawn.size):
        own = drawn[index]
        if own < 0 or own >= sets.length.shape[1] or sets.first[row, own] < 0:
            return -1 - index
        # A point of the set: its intervals laid end to end.
        interval, point = sets.first[row, own], uniforms[index] * sets.length[row, own]
        while (
            point >= sets.lengths[interval]
            and interval + 1 < end
            and sets.owners[interval + 1] == sets.owners[interval]
        ):
            point -= sets.lengths[interval]
            interval += 1
        priority = sets.starts[interval] + min(point, sets.lengths[interval])
        if priority > best:
            best, winner = priority, index
    return winner


def not_drawn(index: tuple[int, ...], token: int, probability: float) -> InvalidInput:
    """Name a draft that the draft law never draws."""
    return InvalidInput(
        f"{entry('drafts', index)} = {token} has draft probability {probability:g}: "
        "it was not drawn from the draft law, so pass the law that the drafter samples from"
    )
