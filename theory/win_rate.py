"""Which of two independent draws scores higher: exact, by one sort of the scores."""

from __future__ import annotations

import numpy as np

from specproof.theory.distribution import Array


def win_rate(first: Array, second: Array, scores: Array) -> Array:
    r"""Compute the probability that a draw of one law beats an independent draw of another, a tie counting half.

    .. math:: \sum_x A(x) \bigl( B(s < s(x)) + \tfrac12 B(s = s(x)) \bigr)

    Parameters
    ----------
    first, second : array, shape (..., V)
        The laws A and B, trusted to be distributions.
    scores : array, shape (..., V)
        The score s(x) of each token, infinite ones included, but not NaN.

    Examples
    --------
    >>> float(win_rate(np.array([0.25, 0.75]), np.array([0.5, 0.5]), np.array([1.0, 2.0])))
    0.625
    """
    order = np.argsort(scores, axis=-1)
    ranked, won, lost = (np.take_along_axis(rows, order, axis=-1) for rows in (scores, first, second))
    mass = np.concatenate([np.zeros_like(lost[..., :1]), np.cumsum(lost, axis=-1)], axis=-1)
    place = np.arange(scores.shape[-1])
    edge = ranked[..., 1:] != ranked[..., :-1]
    ends = np.ones((*edge.shape[:-1], 1), dtype=np.bool_)
    start = np.maximum.accumulate(np.where(np.concatenate([ends, edge], axis=-1), place, 0), axis=-1)
    last = np.where(np.concatenate([edge, ends], axis=-1), place, place[-1])
    stop = np.minimum.accumulate(last[..., ::-1], axis=-1)[..., ::-1] + 1
    below, through = (np.take_along_axis(mass, edges, axis=-1) for edges in (start, stop))
    rate: Array = (won * (0.5 * (below + through))).sum(axis=-1)
    return rate
