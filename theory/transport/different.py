r"""The optimal acceptance with k independent drafts from different laws, certified by branch and bound.

Write :math:`F(A) = \prod_l p_l(A)` for the probability that all drafts fall into A. The optimum is
:math:`1 + \min_A [q(A) - F(A)]`, and the smallest best A is exactly

.. math:: A = \{i : q_i < \sum_l \lambda_l\, p_l(i)\}, \qquad \lambda_l = \prod_{m \ne l} p_m(A).

*Proof.* For i in A, taking it out is worse: :math:`q_i < F(A) - F(A-i) = \prod_l p_l(A) - \prod_l [p_l(A) - p_l(i)]
\le \sum_l \lambda_l p_l(i)`, as the product falls below its tangent by less and less. For i outside, putting it in is
no better: :math:`q_i \ge F(A+i) - F(A) \ge \sum_l \lambda_l p_l(i)`.

So there are k numbers to find instead of V bits: the masses :math:`\mu_l = p_l(A)`, in a box. Given a box, the tokens
below the plane at its lower corner are in A and those not below it at its upper corner are out; what is known of A
bounds its masses, and shrinks the box. Laws that occur twice have one mass in common.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.distribution import ONE_VOCABULARY, Array
from specproof.theory.errors import InvalidInput
from specproof.theory.transport.draft_sets import as_draft_laws, one_distribution

MOST_BOXES = 20_000
"""The search is given up after this many boxes."""

PRECISION = 1e-13
"""Boxes that cannot improve the optimum by more than this are not looked at."""

_FEW = 8
"""The sets of at most this many undecided tokens are all tried."""


class _Instance(NamedTuple):
    drafts: Array
    """The distinct laws have shape (D, V)."""
    repeats: Array
    """Each law is drafted from this often, shape (D,)."""
    target: Array


class _Box(NamedTuple):
    bound: float
    """No set of the box has a smaller q(A) + 1 - F(A)."""
    order: int
    """The order breaks ties, as arrays cannot be compared."""
    low: Array
    high: Array
    """Bounds of the masses p_l(A), shape (D,)."""


def optimal_acceptance_different(drafts: ArrayLike, target: ArrayLike) -> float:
    r"""The optimal acceptance with one draft from each of k laws, :math:`1 + \min_A [q(A) - \prod_l p_l(A)]`.

    Parameters
    ----------
    drafts : array_like, shape (k, V)
        Law of each draft; they are drawn independently.
    target : array_like, shape (V,)

    Returns
    -------
    float
        In [0, 1]: the value of a set A, above the minimum by at most ``PRECISION``.

    Raises
    ------
    InvalidInput
        If a row is not a distribution, the shapes do not match, or ``MOST_BOXES`` boxes do not settle it: their number
        can grow exponentially with the number of distinct laws, though not with V.

    Examples
    --------
    >>> from specproof import optimal_acceptance_different
    >>> round(optimal_acceptance_different([[0.5, 0.5], [0.25, 0.75]], [0.0, 1.0]), 9)
    0.875
    """
    rows, law = as_draft_laws(drafts), one_distribution(target, "target")
    if rows.shape[1] != law.size:
        raise InvalidInput(f"drafts has {rows.shape[1]} tokens and target has {law.size}: {ONE_VOCABULARY}")
    distinct, repeats = np.unique(rows, axis=0, return_counts=True)
    return _search(_Instance(distinct, repeats.astype(np.float64), law))


def _search(instance: _Instance) -> float:
    """Best first: the box with the least bound is split in two until no bound is below the best value."""
    best = 1.0  # the empty set
    whole = np.ones(len(instance.repeats))
    boxes = [_Box(0.0, 0, np.zeros_like(whole), whole)]
    pushed = 1
    while boxes and boxes[0].bound < best - PRECISION:
        if pushed > MOST_BOXES:
            raise InvalidInput(
                f"drafts has {whole.size} distinct laws, and after {MOST_BOXES:,} boxes the optimum lies between "
                f"{boxes[0].bound:.9g} and {best:.9g}: use fewer distinct laws, or optimal_plan on a small vocabulary"
            )
        box = heapq.heappop(boxes)
        low, high, inside, possible = _shrink(instance, box.low, box.high)
        undecided = np.flatnonzero(possible & ~inside)
        best = min(best, _value(instance, inside), _value(instance, possible))
        if (low > high).any() or undecided.size == 0:
            continue
        if undecided.size <= _FEW:
            best = min(best, _try_all(instance, inside, undecided))
            continue
        bound = max(box.bound, _bound(instance, low, high, inside, undecided))
        for half in _halves(low, high):
            heapq.heappush(boxes, _Box(bound, pushed, *half))
            pushed += 1
    return best


def _shrink(instance: _Instance, low: Array, high: Array) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Take a box in as far as it goes: the box, the tokens in every set of it, and the tokens in some."""
    while True:
        inside, possible = _below(instance, low), _below(instance, high)
        tighter_low = np.maximum(low, _masses(instance, inside))
        tighter_high = np.minimum(high, _masses(instance, possible))
        settled = (tighter_low <= low).all() and (tighter_high >= high).all()
        low, high = tighter_low, tighter_high
        if settled or (low > high).any():
            return low, high, inside, possible


def _below(instance: _Instance, masses: Array) -> NDArray[np.bool_]:
    """The tokens that are in A if these are the masses of A."""
    powers = instance.repeats - np.eye(masses.size)
    slope = instance.repeats * (masses**powers).prod(axis=1)
    members: NDArray[np.bool_] = instance.target < slope @ instance.drafts
    return members


def _masses(instance: _Instance, members: NDArray[np.bool_]) -> Array:
    masses: Array = np.minimum(instance.drafts[:, members].sum(axis=1), 1.0)
    return masses


def _value(instance: _Instance, members: NDArray[np.bool_]) -> float:
    """q(A) + 1 - F(A), the latter from the masses outside, so that a small one keeps its digits."""
    return float(instance.target[members].sum() + _escape(instance, _masses(instance, ~members)))


def _escape(instance: _Instance, outside: Array) -> Array:
    """1 - F(A) from the masses outside A, shape (..., D)."""
    with np.errstate(divide="ignore"):  # nothing of a law in A: log 0 = -inf, and 1 - F = 1 as it should
        escape: Array = -np.expm1(np.log1p(-np.minimum(outside, 1.0)) @ instance.repeats)
    return escape


def _try_all(instance: _Instance, inside: NDArray[np.bool_], undecided: NDArray[np.int64]) -> float:
    """The least value of the sets that differ from ``inside`` by undecided tokens."""
    chosen = (np.arange(1 << undecided.size)[:, np.newaxis] >> np.arange(undecided.size) & 1).astype(np.float64)
    rest = ~inside
    rest[undecided] = False
    outside = _masses(instance, rest) + (1.0 - chosen) @ instance.drafts[:, undecided].T
    emitted = instance.target[inside].sum() + chosen @ instance.target[undecided]
    return float((emitted + _escape(instance, outside)).min())


def _bound(
    instance: _Instance, low: Array, high: Array, inside: NDArray[np.bool_], undecided: NDArray[np.int64]
) -> float:
    r"""What no set of the box is below.

    In the box the product is below a plane: with :math:`\phi_l = \mu_l^{r_l}`, below its chord, and one factor changed
    at a time, those before it at their upper and those after it at their lower ends. Under the plane every token
    decides for itself. Every order of the factors gives a bound; two are tried.
    """
    lowest, highest = low**instance.repeats, high**instance.repeats
    width = high - low
    chord = np.divide(highest - lowest, width, out=np.zeros_like(width), where=width > 0)
    emitted, masses = instance.target[inside].sum(), _masses(instance, inside)
    bounds = []
    for order in (np.argsort(width), np.argsort(-width)):
        before = np.concatenate(([1.0], np.cumprod(highest[order])[:-1]))
        after = np.concatenate((np.cumprod(lowest[order][::-1])[-2::-1], [1.0]))
        slope = np.empty_like(width)
        slope[order] = before * after * chord[order]
        gains = np.minimum(instance.target[undecided] - slope @ instance.drafts[:, undecided], 0.0).sum()
        bounds.append(emitted + 1.0 - lowest.prod() - slope @ (masses - low) + gains)
    return float(max(bounds))


def _halves(low: Array, high: Array) -> list[tuple[Array, Array]]:
    """Split a box across its longest side."""
    side = int(np.argmax(high - low))
    middle = 0.5 * (low[side] + high[side])
    left, right = high.copy(), low.copy()
    left[side] = right[side] = middle
    return [(low, left), (right, high)]
