r"""Tokens of nearly equal q/p in buckets, so that few sets are cut: what is lost is bounded by masses.

Let :math:`\hat q_i = \min(q_i, K p_i)`: with k <= K drafts no token wins with density above k, so that nothing else of
q matters. A bucket B has the masses p(B) and :math:`\hat q(B)`; let q' be :math:`\hat q` shared anew in each bucket, in
proportion to p. All tokens of a bucket have one ratio q'/p, so they may own one set together, and the coupling that is
optimal for q' is cut from the buckets alone. As buckets leave fewer sets A to choose from, its acceptance
:math:`\alpha'` is at least the optimum for q, and thinning the winners to q takes away no more than

.. math:: \delta = \sum_i [q'_i - \hat q_i]_+.

So the acceptance is at least :math:`\alpha' - \delta`, and this for every k <= K.

No sort is needed: tokens go into ratio buckets, of which those that lose much are divided evenly. One that loses
:math:`\delta_B` loses some :math:`\delta_B/n_B` in n_B parts, and :math:`\sum n_B` is least for a given loss where n_B
goes as the root of :math:`\delta_B`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.ratio import ascending, likelihood_ratio
from specproof.theory.ratio_buckets import fill_buckets

_AIMS = (1.7, 0.9, 0.6)
"""The part of the tolerance that each division aims at: parts of few tokens lose less than the rule says."""

_MOST_PARTS = 2
"""With more parts than this for each token, tokens of one ratio share a bucket, and no others."""


_WITHIN = 1.0 - 2.0**-30
"""Parts are wider than even by so little that no rounding puts a ratio past the last of them."""


class Buckets(NamedTuple):
    """The tokens of one pair of laws by bucket, the buckets by ratio ascending."""

    of_token: NDArray[np.int32]
    """The bucket of each token, or -1 where it cannot be drafted, shape (V,)."""
    first: NDArray[np.int64]
    """The first token of each bucket, shape (B,)."""
    draft: Array
    """The mass p of each bucket, shape (B,)."""
    target: Array
    """The mass of min(q, K p), shape (B,)."""
    loss: float
    """The number delta of the module's formula."""


def make_buckets(draft: Array, target: Array, num_drafts: int, tolerance: float) -> Buckets:
    """Put the tokens of trusted laws of shape (V,) into few buckets that lose at most ``tolerance`` for any k <= K.

    Some passes over them, and a sort only where nearly every token needs a bucket of its own.

    Examples
    --------
    >>> draft, target = np.array([0.5, 0.25, 0.25, 0.0]), np.array([0.25, 0.375, 0.375, 0.0])
    >>> make_buckets(draft, target, 2, 1e-6).of_token.tolist()
    [0, 1, 1, -1]
    """
    largest = float(num_drafts)
    coarse = fill_buckets(draft, target, largest)
    lost = _lose(draft, target, largest, coarse.masses, coarse.of_token)
    parts, of_token = np.ones(lost.size, dtype=np.int64), np.empty(draft.size, dtype=np.int32)
    for aim in _AIMS:
        if lost.sum() > tolerance:
            _add_parts(parts, lost, aim * tolerance)
        count = int(parts.sum())
        if count > _MOST_PARTS * draft.size:
            break
        masses = np.zeros((count + 1, 2))
        _divide(draft, target, coarse.of_token, _lines(parts, coarse.edges), largest, of_token, masses)
        buckets, lost = _held(draft, target, masses, of_token, coarse.of_token, parts.size)
        if buckets.loss <= tolerance:
            return buckets
    ratio = np.where(draft > 0.0, np.minimum(likelihood_ratio(draft, target), largest), -1.0)
    of_ratio = np.unique(ratio, return_inverse=True)[1].astype(np.int32)
    masses = np.stack([np.bincount(of_ratio, kept) for kept in (draft, np.minimum(target, largest * draft))], axis=-1)
    return _held(draft, target, masses, of_ratio, coarse.of_token, parts.size)[0]


def each_alone(draft: Array, target: Array, num_drafts: int) -> Buckets:
    """A bucket for each token of trusted laws of shape (V,) that can be drafted, so that nothing is lost.

    Examples
    --------
    >>> each_alone(np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.375, 0.375]), 2).of_token.tolist()
    [0, 1, 2]
    """
    order = ascending(likelihood_ratio(draft, target)[np.newaxis])[0]
    order = order[draft[order] > 0.0]
    own, wanted = draft[order], target[order]
    of_token = np.full(draft.size, -1, dtype=np.int32)
    of_token[order] = np.arange(order.size, dtype=np.int32)
    return Buckets(of_token, order, own, np.minimum(wanted, num_drafts * own), 0.0)


def _held(
    draft: Array,
    target: Array,
    masses: Array,
    cells: NDArray[np.int32],
    coarse: NDArray[np.int16],
    size: int,
) -> tuple[Buckets, Array]:
    """The buckets that hold something, with ``cells`` counted anew, and what is lost in each coarse bucket."""
    counted, mean, merged, wanted = _number(masses)
    first, lost = np.empty(counted.size, dtype=np.int64), np.zeros(size)
    _count_anew(draft, target, mean, counted, cells, coarse, first, lost)
    return Buckets(cells, first[counted >= 0], merged, wanted, float(lost.sum())), lost


@compiled(nogil=True)
def _number(masses: Array) -> tuple[NDArray[np.int32], Array, Array, Array]:
    """The numbers of the cells that hold something, -1 for others, their mean ratios, and the masses of the former."""
    numbers, mean = np.empty(masses.shape[0], dtype=np.int32), np.zeros(masses.shape[0])
    held = np.empty((2, masses.shape[0]))
    count = 0
    for cell in range(numbers.size):
        holds = masses[cell, 0] > 0.0
        numbers[cell] = count if holds else -1
        mean[cell] = masses[cell, 1] / masses[cell, 0] if holds else 0.0
        held[:, count] = masses[cell]
        count += holds
    return numbers, mean, held[0, :count].copy(), held[1, :count].copy()


@compiled(error_model="numpy", nogil=True)
def _divide(
    draft: Array,
    target: Array,
    of_token: NDArray[np.int16],
    lines: Array,
    largest: float,
    cells: NDArray[np.int32],
    masses: Array,
) -> None:
    """Put each token into a part of its coarse bucket by its ratio, and add up the masses p and min(q, K p).

    The last cell is for tokens that cannot be drafted. Masses are added when all cells are known: a sum whose place
    depends on a division holds up those after it.
    """
    last = np.uint32(masses.shape[0] - 1)
    for token in range(of_token.size):
        p, coarse = draft[token], np.uint16(of_token[token])
        ratio = min(target[token] / p, largest)
        part = ((ratio if p > 0.0 else 0.0) - lines[coarse, 1]) * lines[coarse, 2]
        cell = np.uint32(lines[coarse, 0] + part)
        cells[token] = cell if p > 0.0 else last
    for token in range(of_token.size):
        p, cell = draft[token], np.uint32(cells[token])
        masses[cell, 0] += p
        masses[cell, 1] += min(target[token], largest * p)


@compiled(nogil=True)
def _count_anew(
    draft: Array,
    target: Array,
    mean: Array,
    counted: NDArray[np.int32],
    cells: NDArray[np.int32],
    coarse: NDArray[np.int16],
    first: NDArray[np.int64],
    lost: Array,
) -> None:
    """Turn cells into buckets, -1 where nothing can be drafted; note the first token of a cell, and add up losses.

    A token of q above K p loses nothing, as no mean ratio is above K.
    """
    for token in range(cells.size - 1, -1, -1):
        p, cell = draft[token], np.uint32(cells[token])
        cells[token] = counted[cell]
        first[cell] = token
        lost[np.uint16(coarse[token])] += max(mean[cell] * p - target[token], 0.0)


@compiled(nogil=True)
def _lose(draft: Array, target: Array, largest: float, masses: Array, of_token: NDArray[np.int16]) -> Array:
    """What the tokens of each bucket lose by its mean ratio, shape (B+2,)."""
    mean, lost = np.zeros(masses.shape[0]), np.zeros(masses.shape[0])
    for bucket in range(mean.size):
        proposed = masses[bucket, 0]
        if proposed > 0.0:
            mean[bucket] = min(masses[bucket, 1], largest * proposed) / proposed
    for token in range(of_token.size):
        coarse = np.uint16(of_token[token])
        lost[coarse] += max(mean[coarse] * draft[token] - target[token], 0.0)
    return lost


@compiled(nogil=True)
def _add_parts(parts: NDArray[np.int64], lost: Array, goal: float) -> None:
    """Divide the buckets further, by the module's rule, so that they lose ``goal``.

    No fewer parts than before: a bucket that loses nothing now may do so only because it was divided.
    """
    roots = np.sqrt(lost * parts)
    scale = roots.sum() / goal
    for bucket in range(parts.size):
        parts[bucket] = max(np.int64(math.ceil(roots[bucket] * scale)), parts[bucket])


@compiled(nogil=True)
def _lines(parts: NDArray[np.int64], edges: Array) -> Array:
    """The first part of each bucket, its least ratio, and the parts for each unit of ratio above, shape (B+2, 3)."""
    lines = np.zeros((parts.size, 3))
    before = 0
    for bucket in range(parts.size):
        lines[bucket, 0], lines[bucket, 1] = before, edges[bucket]
        before += parts[bucket]
        if parts[bucket] > 1 and bucket + 1 < parts.size:  # the ratios of the last count as one, K
            lines[bucket, 2] = parts[bucket] * _WITHIN / (edges[bucket + 1] - edges[bucket])
    return lines
