"""The subset formula: the optimal acceptance at any vocabulary size, for many k at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array, as_pair
from specproof.theory.drafts import as_num_drafts, hit_probability
from specproof.theory.looks import Look, register_look
from specproof.theory.ratio import ascending, likelihood_ratio
from specproof.theory.ratio_buckets import BUCKETS, Items, below, cut_items, least_cuts
from specproof.theory.rows import for_each_row
from specproof.theory.stacks import by_blocks

_CHUNK = 2**18
"""So many entries are sorted at a time where a row has few: the arrays of a chunk stay in cache."""


def optimal_acceptance(draft: ArrayLike, target: ArrayLike, num_drafts: ArrayLike) -> Array:
    r"""The optimal acceptance with k i.i.d. drafts, for one or many k at once.

    .. math:: \alpha^* = 1 + \min_{A \subseteq \Omega} [q(A) - p(A)^k] = \min_A [q(A) + g(p(\bar A))],
              \quad g(t) = 1 - (1-t)^k

    An optimal A is a suffix of the tokens sorted by q/p descending, so V+1 sets are all there is to try, and no sort is
    needed to try them (:mod:`~specproof.theory.ratio_buckets`). Both masses are summed from their own end, and the
    second form has no cancellation. (Hu et al. 2025, arXiv 2502.18779; it is the minimum cut of the linear program
    of [1]_.)

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
        Leading axes broadcast.
    num_drafts : int or array_like of int, shape K
        Each >= 1.

    Returns
    -------
    array, shape (...) + K
        In [0, 1]; for n numbers of drafts O(V + n B) a row, B some thousands; at worst O(V log V + n V). Beside the
        stacks, memory is needed for a few rows on each core.

    Raises
    ------
    InvalidInput
        If an argument is not a distribution, the two do not match, or a number of drafts is not an integer >= 1.

    References
    ----------
    .. [1] Z. Sun et al. SpecTr: Fast Speculative Decoding via Optimal Transport. NeurIPS 2023, arXiv:2310.15141.

    Examples
    --------
    >>> from specproof import optimal_acceptance
    >>> optimal_acceptance([0.5, 0.5], [0.125, 0.875], [1, 2, 4]).tolist()
    [0.625, 0.875, 1.0]
    """
    counts = as_num_drafts(num_drafts)
    return by_blocks(lambda proposals, laws: acceptance_of_rows(proposals, laws, counts), draft, target)


def acceptance_of_rows(draft: Array, target: Array, num_drafts: NDArray[np.int64]) -> Array:
    """As :func:`optimal_acceptance`, of trusted rows of one shape (..., V) and trusted numbers of drafts."""
    leading, vocabulary = draft.shape[:-1], draft.shape[-1]
    counts = num_drafts.reshape(-1)
    flat = np.empty((math.prod(leading), counts.size))
    proposals, laws = draft.reshape(-1, vocabulary), target.reshape(-1, vocabulary)
    if vocabulary <= BUCKETS:
        step = _CHUNK // vocabulary
        for chunk in (slice(start, start + step) for start in range(0, flat.shape[0], step)):
            order = ascending(likelihood_ratio(proposals[chunk], laws[chunk]))
            _fill_least(proposals[chunk], laws[chunk], order, counts, flat[chunk])
    else:

        def find(row: int) -> None:
            items = cut_items(proposals[row], laws[row], counts)
            flat[row] = least_cuts(items.draft_head, items.target_tail, counts)

        for_each_row(flat.shape[0], vocabulary, find)
    acceptance: Array = np.minimum(flat, 1.0).reshape(leading + num_drafts.shape)
    return acceptance


@compiled(nogil=True)
def _fill_least(draft: Array, target: Array, order: NDArray[np.int64], counts: NDArray[np.int64], least: Array) -> None:
    """Fill in the least cut of rows (R, V), whose order is by q/p ascending, for each number of drafts, (R, K)."""
    rows, vocabulary = order.shape
    head, tail = np.zeros(vocabulary + 1), np.zeros(vocabulary + 1)
    for row in range(rows):
        for rank in range(vocabulary):
            place = vocabulary - rank
            tail[place - 1] = tail[place] + target[row, order[row, rank]]
        for place in range(vocabulary):
            head[place + 1] = head[place] + draft[row, order[row, vocabulary - 1 - place]]
        least[row] = least_cuts(head, tail, counts)


def minimum_cut(draft: ArrayLike, target: ArrayLike, num_drafts: ArrayLike) -> NDArray[np.bool_]:
    r"""The set A of the subset formula, :math:`\alpha^* = q(A) + g(p(\bar A))`, for one or many k at once.

    By complementary slackness a verifier reaches the optimum exactly if it accepts a draft outside A whenever there is
    one, and emits tokens of A as accepted drafts alone. Of several such sets the largest found is given.

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
        Leading axes broadcast.
    num_drafts : int or array_like of int, shape K
        Each >= 1.

    Returns
    -------
    array of bool, shape (...) + K + (V,)
        Membership in A.

    Raises
    ------
    InvalidInput
        As :func:`optimal_acceptance`.

    Examples
    --------
    >>> from specproof import minimum_cut
    >>> minimum_cut([0.5, 0.5], [0.125, 0.875], 2)
    array([ True, False])
    """
    draft_rows, target_rows = as_pair(draft, target)
    counts = as_num_drafts(num_drafts)
    leading, vocabulary = draft_rows.shape[:-1], draft_rows.shape[-1]
    flat = np.empty((math.prod(leading), counts.size, vocabulary), dtype=np.bool_)
    proposals, laws = draft_rows.reshape(-1, vocabulary), target_rows.reshape(-1, vocabulary)

    def find(row: int) -> None:
        pair = proposals[row], laws[row]
        items = cut_items(*pair, counts.reshape(-1))
        least = np.append(np.nextafter(float(counts.max()), np.inf), items.ratio)
        for column, count in enumerate(counts.reshape(-1)):
            flat[row, column] = below(*pair, items, float(least[_values(items, int(count)).argmin()]))

    for_each_row(flat.shape[0], vocabulary, find)
    return flat.reshape(*leading, *counts.shape, vocabulary)


def _values(items: Items, num_drafts: int) -> Array:
    """The value q(A) + g(p(not A)) of every suffix A of items, the longest first, shape (N+1,)."""
    values: Array = items.target_tail + hit_probability(items.draft_head, num_drafts)
    return values


register_look("optimal", Look("optimum, independent drafts", "#009E73", "s"))
