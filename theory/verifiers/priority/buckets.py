r"""Tokens of nearly equal q/p in buckets, so that few sets are cut: what is lost is bounded by masses.

Let :math:`\hat q_i = \min(q_i, K p_i)`: with k <= K drafts no token wins with density above k, so that nothing else of
q matters. A bucket B has the masses p(B) and :math:`\hat q(B)`; let q' be :math:`\hat q` shared anew in each bucket, in
proportion to p. All tokens of a bucket have one ratio q'/p, so they may own one set together, and the coupling that is
optimal for q' is cut from the buckets alone. As buckets leave fewer sets A to choose from, its acceptance
:math:`\alpha'` is at least the optimum for q, and thinning the winners to q takes away no more than

.. math:: \delta = \sum_i [q'_i - \hat q_i]_+ \le \sum_B p(B)\,\frac{(\bar u - a)(b - \bar u)}{b - a},

where the ratios of B lie in [a, b] and have the mean :math:`\bar u = \hat q(B)/p(B)` under p: of all laws on [a, b]
with that mean, the one on its ends deviates most. So the acceptance is at least :math:`\alpha' - \delta`, and this for
every k <= K.

Buckets of equal loss are the fewest for a given sum: where the tokens have the mass :math:`\rho` for each unit of
ratio, a width h costs :math:`\rho h^2/8`, and to minimise :math:`\int \rho h/8 + \lambda/h` is to make that constant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.ratio import likelihood_ratio
from specproof.theory.ratio_buckets import nearly_sorted

_TOKENS_A_BUCKET = 8
"""The first try gives each bucket its part of the tolerance as if it had so many tokens."""

_TRIES = 12
"""After so many tries only tokens of one ratio share a bucket."""

_AIM = 0.7
"""The part of the tolerance that a further try aims at."""


class Buckets(NamedTuple):
    """The tokens of one pair of laws by bucket."""

    of_token: NDArray[np.int64]
    """The bucket of each token, or -1 where it cannot be drafted, shape (V,)."""
    first: NDArray[np.int64]
    """The first token of each bucket, shape (B,)."""
    draft: Array
    """The mass p of each bucket, shape (B,)."""
    target: Array
    """The mass of min(q, K p), shape (B,)."""
    order: NDArray[np.int64]
    """The buckets by the quotient of their masses q/p ascending, shape (B,)."""
    loss: float
    """The bound of the module's formula."""


def make_buckets(draft: Array, target: Array, num_drafts: int, tolerance: float) -> Buckets:
    """Put the tokens of trusted laws of shape (V,) into few buckets that lose at most ``tolerance`` for any k <= K.

    One sort and some passes over it.

    Examples
    --------
    >>> draft, target = np.array([0.5, 0.25, 0.25, 0.0]), np.array([0.25, 0.375, 0.375, 0.0])
    >>> make_buckets(draft, target, 2, 1e-6).of_token.tolist()
    [0, 1, 1, -1]
    """
    ratio = np.minimum(likelihood_ratio(draft, target), float(num_drafts))
    ratio[draft == 0] = -1.0
    tokens = nearly_sorted(ratio)[np.count_nonzero(draft == 0) :]
    columns = draft[tokens], np.minimum(target, num_drafts * draft)[tokens], ratio[tokens]
    found, masses = np.empty(tokens.size, dtype=np.int64), np.empty((2, tokens.size))
    budget = tolerance * _TOKENS_A_BUCKET / draft.size
    for left in reversed(range(_TRIES)):
        count, loss = _fill(*columns, budget, found, masses)
        if loss <= tolerance:
            break
        budget *= _AIM * tolerance / loss if left > 1 else 0.0
    of_token, first = _by_token(tokens, found, count, draft.size)
    merged, wanted = masses[:, :count].copy()
    return Buckets(of_token, first, merged, wanted, np.argsort(wanted / merged), loss)


@compiled(nogil=True)
def _by_token(
    tokens: NDArray[np.int64], bucket_of: NDArray[np.int64], count: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The bucket of each token, from those of sorted tokens, and the first token of each bucket."""
    of_token, first = np.full(size, -1), np.full(count, size)
    for place in range(tokens.size):
        token, bucket = tokens[place], bucket_of[place]
        of_token[token] = bucket
        first[bucket] = min(first[bucket], token)
    return of_token, first


@compiled(error_model="numpy")
def _fill(
    draft: Array, target: Array, ratio: Array, budget: float, bucket_of: NDArray[np.int64], masses: Array
) -> tuple[int, float]:
    """Fill buckets that lose at most ``budget`` each, from nearly sorted tokens; return how many, and the loss.

    A token joins the bucket that is open. One that is too heavy for that, or any of its width, has one of its own;
    another closes it.
    """
    current, count, loss, open_loss, low, high = -1, 0, 0.0, 0.0, 0.0, 0.0
    for place in range(draft.size):
        p, q, u = draft[place], target[place], ratio[place]
        joined_loss = np.inf
        if current >= 0:
            joined_loss = _loss(masses[0, current] + p, masses[1, current] + q, min(low, u), max(high, u))
        if joined_loss <= budget:
            bucket, open_loss, low, high = current, joined_loss, min(low, u), max(high, u)
            masses[0, bucket] += p
            masses[1, bucket] += q
        else:
            bucket, count = count, count + 1
            masses[0, bucket] = p
            masses[1, bucket] = q
            if p * (high - low) <= 4.0 * budget:
                current, loss, open_loss, low, high = bucket, loss + open_loss, 0.0, u, u
        bucket_of[place] = bucket
    return count, loss + open_loss


@compiled(error_model="numpy")
def _loss(mass: float, wanted: float, low: float, high: float) -> float:
    """What a bucket of these masses loses at most, its ratios being between two."""
    if not high > low:
        return 0.0
    mean = wanted / mass
    return max(mass * (mean - low) * (high - mean) / (high - low), 0.0)
