"""Free space and the list of pieces between its segments."""

from __future__ import annotations

import numpy as np

from specproof.theory.verifiers.priority.segments import FreeSpace, Pieces, add_piece, drop_segment


def test_pieces_of_a_dropped_segment_lie_on_those_below_it_and_more_can_follow() -> None:
    pieces = Pieces(np.zeros(4), np.zeros(4, dtype=np.int64), np.full(4, -1, dtype=np.int32))
    count = 0
    for token in range(3):
        count = add_piece(pieces, count, token, 0.1, -1)
    lists = np.arange(3, dtype=np.int32)  # one piece on each of three levels
    free = FreeSpace(np.zeros(3), np.zeros(3), lists.copy(), lists.copy())
    for level in (2, 1):
        drop_segment(free, pieces, level)
    assert (free.lowest[0], free.highest[0]) == (0, 2)
    assert pieces.above.tolist() == [1, 2, -1, -1]


def test_pieces_of_a_dropped_segment_are_all_there_are_where_none_lie_below() -> None:
    pieces = Pieces(np.zeros(1), np.zeros(1, dtype=np.int64), np.full(1, -1, dtype=np.int32))
    free = FreeSpace(np.zeros(2), np.zeros(2), np.array([-1, 0], dtype=np.int32), np.array([-1, 0], dtype=np.int32))
    drop_segment(free, pieces, 1)
    assert (free.lowest[0], free.highest[0]) == (0, 0)
