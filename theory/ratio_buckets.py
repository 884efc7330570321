r"""Tokens by likelihood ratio without a sort: few items that have the same least cut as all the tokens.

The optimum with k drafts is :math:`\min_h f`, :math:`f = q(\bar H) + g(p(H))`, over heads H of the tokens by q/p
descending. One pass puts tokens into buckets of ratio, by the bits of the floating-point quotient, which rise with it;
another opens the few buckets inside which the least cut may lie. Every other bucket counts as one item.

*What a bucket can hold.* Let a bucket have the masses P and Q, its ratios be at most b, the mass of p before it be H
and that of q behind it T. A head that ends inside, with the mass s of p from the bucket, has at most the mass
:math:`\min(Q, bs)` of q from there:

.. math:: f \ge T + \max(0, Q - bs) + g(H + s).

As g is concave and rises, the right side is least at s = 0, where it is f at the bucket's upper end, or at s = Q/b.
So nothing inside is below the least f at the ends of buckets if :math:`T + g(H + Q/b)` is not. The least cut of the
items is then that of the tokens, but for rounding.

*What needs no bucket.* A token of ratio above the largest k belongs to the best head, as :math:`g' \le k`; one with
q = 0 does not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.drafts import fill_hits
from specproof.theory.ratio import likelihood_ratio

BUCKETS = 4096
"""So many buckets divide the ratios of a row that is cut, and no more than it has tokens."""

OCTAVES = 40
"""Ratios below the largest by more than this many factors of two share the lowest bucket."""

_BLOCK = 1024
"""So many quotients are held at a time."""

_LEAST = float(np.nextafter(0.0, 1.0))
"""No float above 0 is smaller."""

_SLACK = 2.0**-50
"""A bucket is not opened for what it might save below this part of the least cut, which is rounding."""


class RatioBuckets(NamedTuple):
    """The tokens of one row by bucket of ratio, the lowest ratios first.

    Bucket 0 has the tokens of ratio 0, which belong to no best head, and the last those whose ratio is above every k,
    which belong to all.
    """

    of_token: NDArray[np.int16]
    """The bucket of each token, shape (V,)."""
    edges: Array
    """Bucket b >= 1 has the ratios from entry b up to but not including entry b + 1, shape (B+2,)."""
    masses: Array
    """The masses of p and of q in each bucket, shape (B+2, 2)."""


class Items(NamedTuple):
    """Tokens and whole buckets of one row, by ratio descending."""

    buckets: RatioBuckets
    """The buckets of all tokens."""

    ratio: Array
    """The least ratio of each item, shape (N,)."""
    draft_head: Array
    """The mass p of the first j items and of all ratios above them is entry j, shape (N+1,)."""
    target_tail: Array
    """The mass q of all but those is entry j, shape (N+1,)."""


def cut_items(draft: Array, target: Array, counts: NDArray[np.int64]) -> Items:
    """Find items that have the least cut of a trusted pair of rows (V,) for each number of drafts, shape (K,).

    O(V + K B + n log n) for n items: some thousands as a rule, at worst V.

    Examples
    --------
    >>> draft, target = np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5])
    >>> items = cut_items(draft, target, np.array([1]))
    >>> (items.target_tail + items.draft_head).min()  # g(t) = t for one draft
    np.float64(0.75)
    """
    buckets = fill_buckets(draft, target, float(counts.max()))
    opened = _opened(buckets, counts)
    whole = 1 + np.flatnonzero((buckets.masses[1:-1, 1] > 0.0) & ~opened[1:-1])
    single = _members(buckets.of_token, opened)
    least = np.concatenate([buckets.edges[whole], target[single] / draft[single]])
    order = np.argsort(-least)
    head, tail = np.empty(order.size + 1), np.empty(order.size + 1)
    head[0], tail[-1] = buckets.masses[-1, 0], buckets.masses[0, 1]
    head[1:] = np.concatenate([buckets.masses[whole, 0], draft[single]])[order]
    tail[:-1] = np.concatenate([buckets.masses[whole, 1], target[single]])[order]
    behind = np.cumsum(tail[::-1])[::-1].copy()  # compiled loops are made for one layout
    return Items(buckets, least[order], np.cumsum(head), behind)


def fill_buckets(draft: Array, target: Array, largest: float) -> RatioBuckets:
    """Put the tokens of a trusted pair of rows (V,) into buckets by their quotients q/p, up to ``largest``.

    Some quotients say where most lie; the lowest and the highest bucket have all that is beyond.
    """
    first, last = _window(draft, target, largest)
    count = max(2, min(BUCKETS, draft.size))
    shift = max(0, (last - first).bit_length() - (count - 1).bit_length() + 1)
    first -= 1 << shift  # the lowest that was seen has a bucket without all that is lower still
    edges = _edges(count, first, shift, np.nextafter(largest, np.inf))
    of_token, masses = np.empty(draft.size, dtype=np.int16), np.zeros((count + 2, 2))
    _fill(draft, target, (first, shift), largest, of_token, masses)
    return RatioBuckets(of_token, edges, masses)


def below(draft: Array, target: Array, items: Items, least: float) -> NDArray[np.bool_]:
    """The tokens of a row whose ratio is below that of an item, shape (V,); divided only where buckets do not tell.

    Examples
    --------
    >>> draft, target = np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5])
    >>> below(draft, target, cut_items(draft, target, np.array([1])), 1.0).tolist()
    [True, False, False]
    """
    of_token, edges, _ = items.buckets
    bucket = np.searchsorted(edges, least, side="right") - 1
    lower = of_token < bucket
    unsure = np.flatnonzero(of_token == bucket)
    lower[unsure] = likelihood_ratio(draft[unsure], target[unsure]) < least
    return lower


def _window(draft: Array, target: Array, largest: float) -> tuple[int, int]:
    """The bits of a low and of a high quotient in (0, largest], with most of the others in between."""
    low, high = _extremes(draft, target, max(1, draft.size // BUCKETS), largest)
    ends = np.array([max(low, high * 2.0**-OCTAVES), high]).view(np.int64)
    return int(ends[0]), int(ends[1])


@compiled(error_model="numpy", nogil=True)
def _extremes(draft: Array, target: Array, step: int, largest: float) -> tuple[float, float]:
    """The least and the largest quotient in (0, largest] of every so many tokens."""
    low, high = np.inf, _LEAST
    for token in range(0, draft.size, step):
        ratio = target[token] / draft[token]
        if 0.0 < ratio <= largest:
            low, high = min(low, ratio), max(high, ratio)
    return min(low, high), high


@compiled(nogil=True)
def _edges(count: int, first: int, shift: int, beyond: float) -> Array:
    """The least ratio of each bucket, of which all but the lowest and the highest are as wide in their bits."""
    edges = np.zeros(count + 2)
    bits = edges.view(np.int64)
    for bucket in range(1, count):
        bits[bucket + 1] = first + (bucket << shift)
    edges[1], edges[count + 1] = _LEAST, beyond
    return edges


def _opened(buckets: RatioBuckets, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which buckets may hold the least cut for one of the numbers of drafts, shape (B+2,)."""
    own, wanted = buckets.masses[1:].T
    before = np.cumsum(own[::-1])[::-1]  # with its own mass
    behind = buckets.masses[0, 1] + np.cumsum(wanted) - wanted
    largest = np.nextafter(buckets.edges[2:], 0.0).clip(_LEAST)
    inside = before[1:] + np.minimum(own[:-1], wanted[:-1] / largest)
    opened = np.zeros(before.size + 1, dtype=np.bool_)
    _open(np.minimum(before, 1.0), behind, np.minimum(inside, 1.0), counts, opened[1:-1])
    opened[1:-1] &= wanted[:-1] > 0.0
    return opened


@compiled(nogil=True)
def _open(before: Array, behind: Array, inside: Array, counts: NDArray[np.int64], opened: NDArray[np.bool_]) -> None:
    hit = np.empty(before.size)
    for count in counts:
        least = _least(before, behind, count, hit) * (1.0 - _SLACK)
        fill_hits(inside, count, hit[: inside.size])
        for bucket in range(inside.size):
            opened[bucket] |= behind[bucket] + hit[bucket] < least


@compiled(nogil=True)
def _least(head: Array, tail: Array, count: int, hit: Array) -> float:
    """The least value of all cuts, with memory for g."""
    fill_hits(head, count, hit)
    least = np.inf
    for cut in range(head.size):
        least = min(least, tail[cut] + hit[cut])
    return least


@compiled(nogil=True)
def least_cuts(head: Array, tail: Array, counts: NDArray[np.int64]) -> Array:
    r"""The least :math:`f = q(\bar H) + g(p(H))` of cuts with these masses for each number of drafts, shape (K,).

    Examples
    --------
    >>> least_cuts(np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.25, 0.0]), np.array([1, 2]))
    array([0.75, 1.  ])
    """
    once, hit, least = np.minimum(head, 1.0), np.empty(head.size), np.empty(counts.size)
    for column in range(counts.size):
        least[column] = _least(once, tail, counts[column], hit)
    return least


@compiled(error_model="numpy", nogil=True)
def _fill(
    draft: Array,
    target: Array,
    scale: tuple[int, int],
    largest: float,
    of_token: NDArray[np.int16],
    masses: Array,
) -> None:
    """Find the bucket of each token, without a branch that could be mispredicted, and then add up their masses.

    A sum whose place depends on a division would hold up those after it.
    """
    first, shift = scale
    last = masses.shape[0] - 1
    widest = ((last - 1) << shift) - 1
    ratio = np.empty(_BLOCK)
    bits = ratio.view(np.int64)
    for begin in range(0, draft.size, _BLOCK):
        size = min(_BLOCK, draft.size - begin)
        for place in range(size):
            ratio[place] = target[begin + place] / draft[begin + place]
        for place in range(size):
            inside = (min(max(bits[place] - first, 0), widest) >> shift) + 1
            positive = inside if ratio[place] > 0.0 else 0  # a quotient 0/0 is NaN, and as little above 0 as 0 is
            of_token[begin + place] = last if ratio[place] > largest else positive
    for token in range(draft.size):
        bucket = np.uint16(of_token[token])
        masses[bucket, 0] += draft[token]
        masses[bucket, 1] += target[token]


@compiled(nogil=True)
def _members(of_token: NDArray[np.int16], chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The tokens in the chosen buckets."""
    found, count = np.empty(of_token.size, dtype=np.int64), 0
    for token in range(of_token.size):
        found[count] = token
        count += chosen[of_token[token]]
    return found[:count]
