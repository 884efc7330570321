r"""Which of given drafts has the highest priority: exactly, from the sets of the drafted tokens alone.

Let :math:`G_B` be the distribution function of a priority drawn from set B, and m_B the number of drafts that draw from
it. As sets are disjoint, :math:`G_C` is constant along every interval [a, b] of another set B. So B holds the highest
priority with probability

.. math:: \sum_{[a, b] \subset B} \bigl(G_B(b)^{m_B} - G_B(a)^{m_B}\bigr) \prod_{C \ne B} G_C(a)^{m_C},

with no integral left, and each of the m_B drafts has it equally often. That is one sweep over the intervals of at most
k sets, from the lowest to the highest, whatever the vocabulary: O(k) for each interval. The terms telescope, so that
they sum to 1 but for rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.verifiers.priority.powers import power_quotient
from specproof.theory.verifiers.priority.tiling import Tiling


@compiled(error_model="numpy")
def winning_chances(tiling: Tiling, drafts: NDArray[np.int64]) -> Array:
    """The probability that each draft of each row has the highest priority, shape (R, k).

    Parameters
    ----------
    tiling : Tiling
        Of R rows. Tokens that share a set have the same first interval.
    drafts : array of int64, shape (R, k)
        Drafted tokens. One that owns nothing never wins; where none owns anything, no draft does.

    Examples
    --------
    Two tokens own the halves of [0, 1]: the upper one wins whenever it is drafted, and equal drafts win by halves.

    >>> from specproof.theory.verifiers.priority.tiling import tile_rows
    >>> rows = np.array([[0.5, 0.5]] * 2), np.array([[0.25, 0.75]] * 2)
    >>> tiling = tile_rows(*rows, np.array([[0, 1]] * 2), 2)
    >>> winning_chances(tiling, np.array([[0, 1], [0, 0]])).tolist()
    [[0.0, 1.0], [0.5, 0.5]]
    """
    rows, count = drafts.shape
    chances = np.zeros((rows, count))
    owner, drawing = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    firsts = np.empty(count, dtype=np.int64)
    for row in range(rows):
        sets = 0
        for place in range(count):
            first = tiling.first[row, drafts[row, place]]
            owner[place] = -1
            if first >= 0:
                known = 0
                while known < sets and firsts[known] != first:
                    known += 1
                if known == sets:
                    firsts[known], drawing[known] = first, 0
                    sets += 1
                drawing[known] += 1
                owner[place] = known
        won = _winning_sets(tiling, tiling.offsets[row + 1], firsts[:sets], drawing[:sets])
        for place in range(count):
            if owner[place] >= 0:
                chances[row, place] = won[owner[place]] / drawing[owner[place]]
    return chances


@compiled(error_model="numpy")
def _winning_sets(tiling: Tiling, end: int, firsts: NDArray[np.int64], drawing: NDArray[np.int64]) -> Array:
    """The probability that each of these sets of one row holds the highest priority."""
    sizes, lengths = np.zeros(firsts.size, dtype=np.int64), np.zeros(firsts.size)
    for each in range(firsts.size):
        interval = firsts[each]
        while interval < end and tiling.tokens[interval] == tiling.tokens[firsts[each]]:
            lengths[each] += tiling.lengths[interval]
            interval += 1
        sizes[each] = interval - firsts[each]
    places = np.empty(sizes.sum(), dtype=np.int64)
    of_set = np.empty(places.size, dtype=np.int64)
    filled = 0
    for each in range(firsts.size):
        for step in range(sizes[each]):
            places[filled], of_set[filled] = firsts[each] + step, each
            filled += 1
    won, below, reached = np.zeros(firsts.size), np.zeros(firsts.size), np.zeros(firsts.size)
    # By their middles, as an interval too short to move its start lies below another with the same one.
    for entry in np.argsort(tiling.starts[places] + 0.5 * tiling.lengths[places]):
        each = of_set[entry]
        others = 1.0
        for other in range(firsts.size):
            if other != each:
                others *= below[other] ** drawing[other]
        sizes[each] -= 1
        reached[each] += tiling.lengths[places[entry]]
        # The last interval ends the set, whatever the sum of the lengths was rounded to.
        share = min(reached[each] / lengths[each], 1.0) if sizes[each] > 0 else 1.0
        won[each] += (share - below[each]) * power_quotient(share, below[each], drawing[each]) * others
        below[each] = share
    return won
