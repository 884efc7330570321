r"""One step of priority layer verification: the priority coupling of a measure, at one node of a drafted tree.

A node of capacity c, its weight over that of its layer, has k drafts from p after it. Tokens are won as the sets of the
priority coupling with the measure :math:`W q`, W <= 1 being the weight of the layer: token i with probability m_i. The
winner is kept with probability :math:`\theta_i = \min(1, W q_i/m_i)`. So over the drafts token i is accepted with
probability :math:`\min(m_i, W q_i)`, and each of given drafts with its chance to win times theta. A single draft always
wins: m = p, and no sets are cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specproof.theory.distribution import Array
from specproof.theory.ratio import ascending, likelihood_ratio
from specproof.theory.verifiers.priority.shared import tile_shared
from specproof.theory.verifiers.priority.tiling import Tiling, tile_rows
from specproof.theory.verifiers.priority.winning import winning_chances


def one_step(draft: Array, measure: Array, drafts: NDArray[np.int64], tolerance: float) -> tuple[Array, Array]:
    """What is rejected of measures on average over the drafts, shape (R, V), and the chance of each draft, (R, k).

    Rows are trusted. Both results are clamped where rounding might pass what must hold: nothing rejected is below 0,
    and chances are at least 0 and sum to at most 1 in each row.

    Parameters
    ----------
    draft : array, shape (R, V)
        Distributions p; after a row of zeros nothing is drafted, and its drafts have no chance.
    measure : array, shape (R, V)
        Not negative, of mass 1 at most.
    drafts : array of int64, shape (R, k)
    tolerance : float
        As for :class:`~specproof.theory.verifiers.priority.PriorityCoupling`; 0 is optimal.

    Examples
    --------
    One draft against half of the target: token 0 is kept as often as half of the target wants it.

    >>> row = np.array([[0.5, 0.5]])
    >>> rejected, chances = one_step(row, 0.5 * np.array([[0.25, 0.75]]), np.array([[0]]), 0.0)
    >>> rejected.tolist(), chances.tolist()
    ([[0.0, 0.0]], [[0.25]])
    """
    count = drafts.shape[1]
    if count == 1:
        won, chances = draft, np.ones(drafts.shape)
    else:
        tilings = _tilings(draft, measure, count, tolerance)
        won = np.concatenate([tiling.won for tiling in tilings])
        parts = np.split(drafts, np.cumsum([len(tiling.won) for tiling in tilings])[:-1])
        chances = np.concatenate([winning_chances(*pair) for pair in zip(tilings, parts, strict=True)])
    offered, wanted = (np.take_along_axis(rows, drafts, axis=1) for rows in (won, measure))
    below = wanted < offered
    kept = np.where(below, np.divide(wanted, offered, out=np.zeros_like(offered), where=below), offered > 0)
    chances *= np.minimum(kept, 1.0)
    chances /= np.maximum(chances.sum(axis=1, keepdims=True), 1.0)
    rejected: Array = np.maximum(measure - won, 0.0)
    return rejected, chances


def _tilings(draft: Array, measure: Array, num_drafts: int, tolerance: float) -> list[Tiling]:
    """Cut the sets of all rows, those with shared sets row by row."""
    if tolerance > 0.0:
        return [tile_shared(*row, num_drafts, tolerance) for row in zip(draft, measure, strict=True)]
    tiling: Tiling = tile_rows(draft, measure, ascending(likelihood_ratio(draft, measure)), num_drafts)
    return [tiling]
