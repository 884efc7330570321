r"""Sets that several tokens share: the tiling of buckets, and how many drafts carry a token that wins in one.

A token of probability p in a bucket of mass p(B) owns the share w = p/p(B) of every part of its set: each draft draws
its priority uniformly from the set of its token's bucket, so that priorities are uniform on [0, 1] as before, and the
draft that lies at a point of the set is that token with probability w.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.ratio_buckets import BUCKETS
from specproof.theory.verifiers.priority.buckets import Buckets, each_alone, make_buckets
from specproof.theory.verifiers.priority.intervals import log_binomials
from specproof.theory.verifiers.priority.powers import power_quotient
from specproof.theory.verifiers.priority.tiling import Tiling, tile_rows

DEFAULT_TOLERANCE = 1e-5
"""What samplers and prices do without the last digits for: they accept at most so much less than the optimum."""


FEW = BUCKETS
"""Of so many tokens the ratios lie so far apart that sets are hardly shared: it is quicker to cut them all."""


def useful_tolerance(tolerance: float, vocabulary: int) -> float:
    """The tolerance, but 0 for few tokens, as what it saves is less than what it costs there.

    Examples
    --------
    >>> useful_tolerance(1e-5, 1_000), useful_tolerance(1e-5, 152_064)
    (0.0, 1e-05)
    """
    return tolerance if vocabulary > FEW else 0.0


def tile_buckets(buckets: Buckets, num_drafts: int) -> Tiling:
    """Cut the sets of the buckets, as one row; k must not exceed what the buckets were made for."""
    order = np.arange(buckets.draft.size)[np.newaxis]
    tiling: Tiling = tile_rows(buckets.draft[np.newaxis], buckets.target[np.newaxis], order, num_drafts)
    return tiling


def _up_to(buckets: Buckets, last: int) -> tuple[Array, Array]:
    """The masses of the buckets 0..last: as they are cut first, no other changes what they get.

    One more set, which may be empty, has what they leave free.
    """
    head = slice(last + 1)
    draft = np.append(buckets.draft[head], buckets.draft[last + 1 :].sum())
    return draft, np.append(buckets.target[head], np.inf)


class SharedSets(NamedTuple):
    """The sets that tokens of one row share. Entry -1 of the arrays is for tokens that own nothing."""

    of_token: NDArray[np.int32]
    """The set of each token, or -1, shape (V,)."""
    tiling: Tiling
    """One row of sets; their intervals belong to the first token of each."""
    first: NDArray[np.int64]
    """The first interval of each set, shape (B+1,)."""
    length: Array
    """The length of each set, shape (B+1,)."""
    density: Array
    """The mass of each set, over its length, shape (B+1,)."""
    bound: float
    """No verifier accepts more than this: the least cut among the sets."""


def share_sets(draft: Array, target: Array, num_drafts: int, tolerance: float) -> SharedSets:
    """Cut sets for the tokens of trusted laws of shape (V,), buckets of which share one."""
    buckets = make_buckets(draft, target, num_drafts, tolerance)
    tiling = tile_buckets(buckets, num_drafts)
    return SharedSets(
        buckets.of_token,
        tiling._replace(tokens=buckets.first[tiling.tokens]),
        np.append(tiling.first[0], -1),
        np.append(buckets.draft, 0.0),
        np.append(tiling.won[0] / buckets.draft, 0.0),
        least_cut(buckets, num_drafts),
    )


@compiled(nogil=True)
def accepted_mass(draft: Array, target: Array, of_token: NDArray[np.int32], density: Array) -> float:
    """The sum of min(q, m) over the tokens of one row, m being the mass of each token's share of its set."""
    accepted = 0.0
    for token in range(draft.size):
        accepted += min(target[token], draft[token] * density[of_token[token]])
    return accepted


def tile_shared(draft: Array, target: Array, num_drafts: int, tolerance: float) -> Tiling:
    """The sets of :func:`share_sets` as a tiling whose first intervals and masses are those of the tokens."""
    sets = share_sets(draft, target, num_drafts, tolerance)
    first, won = sets.first[sets.of_token], draft * sets.density[sets.of_token]
    return sets.tiling._replace(first=first[np.newaxis], won=won[np.newaxis])


def least_cut(buckets: Buckets, num_drafts: int) -> float:
    """The least q(A) + g(p(not A)) over suffixes A of the buckets by ratio, which no verifier's acceptance exceeds.

    With min(q, K p) for q it is a bound still, as no verifier accepts a token more often than it is drafted.
    """
    return float(_least_cut(buckets.draft, buckets.target, num_drafts))


@compiled(nogil=True)
def _least_cut(draft: Array, target: Array, num_drafts: int) -> float:
    hit, outside = np.empty(draft.size + 1), 0.0
    hit[draft.size] = 0.0
    for bucket in range(draft.size - 1, -1, -1):
        outside = min(outside + draft[bucket], 1.0)
        hit[bucket] = outside * power_quotient(1.0, 1.0 - outside, num_drafts)
    inside = 0.0
    least: float = hit[0]
    for bucket in range(draft.size):
        inside += target[bucket]
        least = min(least, inside + hit[bucket + 1])
    return least


def priority_agreement_at(draft: Array, target: Array, tokens: NDArray[np.int64], num_drafts: int) -> Array:
    """The law of agreement at one token of each row for k = 1..K, shape (n, K, K).

    It is that of couplings whose buckets lose at most ``DEFAULT_TOLERANCE``, made once for all k; of few tokens that of
    the exact ones.
    Parameters are those of :data:`specproof.theory.verifiers.registry.AgreementAt`.

    Examples
    --------
    >>> rows = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    >>> priority_agreement_at(*rows, np.array([1]), 2).round(12).tolist()
    [[[0.5, 0.0], [0.5, 0.25]]]
    """
    joint = np.zeros((tokens.size, num_drafts, num_drafts))
    tolerance = useful_tolerance(DEFAULT_TOLERANCE, draft.shape[-1])
    nodes, log_ways = _nodes((num_drafts + 1) // 2), _log_ways_up_to(num_drafts)
    for row, token in enumerate(tokens):
        laws = draft[row], target[row]
        buckets = make_buckets(*laws, num_drafts, tolerance) if tolerance else each_alone(*laws, num_drafts)
        bucket, wanted = buckets.of_token[token], target[row, token]
        if bucket < 0 or wanted == 0.0:  # never drafted, or never emitted
            continue
        share = draft[row, token] / buckets.draft[bucket]
        _agree(*_up_to(buckets, bucket), bucket, share, wanted, nodes, log_ways, joint[row])
    return joint


@compiled(error_model="numpy", nogil=True)
def _agree(
    draft: Array,
    target: Array,
    bucket: int,
    share: float,
    wanted: float,
    nodes: tuple[Array, Array],
    log_ways: Array,
    joint: Array,
) -> None:
    """Add what a token that owns ``share`` of a bucket has for each number of drafts, whose nodes will do for fewer."""
    order = np.arange(draft.size).reshape(1, -1)
    for num_drafts in range(1, joint.shape[0] + 1):
        tiling = tile_rows(draft.reshape(1, -1), target.reshape(1, -1), order, num_drafts)
        own = np.flatnonzero(tiling.tokens == bucket)
        carried = joint[num_drafts - 1, :num_drafts]
        _integrate(
            tiling.starts[own], tiling.lengths[own], share, nodes, log_ways[num_drafts - 1, :num_drafts], carried
        )
        won = share * tiling.won[0, bucket]
        if won > wanted:
            carried *= wanted / won


def carriers(starts: Array, lengths: Array, share: float, num_drafts: int) -> Array:
    r"""Probability that a token wins and j = 1..k drafts are the token, whose share of a set is w, shape (k,).

    With the winner at s and m(s) the length of the set below s, the other j - 1 of the token lie in w m(s) and the
    rest in s - w m(s): the integral of :math:`w k \binom{k-1}{j-1} (wm)^{j-1} (s - wm)^{k-j}` over the set. On each
    interval that is a polynomial of degree k - 1, which k/2 Gauss-Legendre nodes integrate exactly.

    Parameters
    ----------
    starts, lengths : array, shape (N,)
        The intervals of the set, from the highest to the lowest, as they are cut.
    share : float
    num_drafts : int

    Examples
    --------
    Half of all that there is, with two drafts: it wins alone half of the time, and in a quarter with both.

    >>> carriers(np.array([0.0]), np.array([1.0]), 0.5, 2).round(12).tolist()
    [0.25, 0.25]
    """
    joint = np.zeros(num_drafts)
    _integrate(starts, lengths, share, _nodes((num_drafts + 1) // 2), _log_ways(num_drafts), joint)
    return joint


@cache
def _nodes(count: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes in [0, 1] and their weights, of sum 1."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


def _log_ways(num_drafts: int) -> Array:
    """Logarithms of k (k-1 choose j-1) = j (k choose j) for j = 1..k, shape (k,)."""
    ways: Array = log_binomials(num_drafts) + np.log(np.arange(1, num_drafts + 1))
    return ways


@cache
def _log_ways_up_to(num_drafts: int) -> Array:
    """Those of k = 1..K, one row each, shape (K, K)."""
    ways = np.zeros((num_drafts, num_drafts))
    for count in range(1, num_drafts + 1):
        ways[count - 1, :count] = _log_ways(count)
    return ways


@compiled(error_model="numpy")
def _integrate(
    starts: Array, lengths: Array, share: float, nodes: tuple[Array, Array], log_ways: Array, joint: Array
) -> None:
    (points, weights), below, count = nodes, 0.0, joint.size
    for interval in range(starts.size - 1, -1, -1):
        for node in range(points.size):
            inside = lengths[interval] * points[node]
            own = share * (below + inside)
            log_own, log_others = math.log(own), math.log(max(starts[interval] + inside - own, 0.0))
            factor = share * lengths[interval] * weights[node]
            for index in range(count):
                logs = log_ways[index] + _times(index, log_own) + _times(count - 1 - index, log_others)
                joint[index] += factor * math.exp(logs)
        below += lengths[interval]


@compiled(error_model="numpy")
def _times(exponent: int, log: float) -> float:
    """The logarithm of a power: that of 0 is 0 where nothing is taken of it."""
    return exponent * log if exponent > 0 else 0.0
