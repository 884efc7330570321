r"""K-SEQ (Sun et al. 2023, Algorithm 2): k drafts tried in turn with acceptance min(1, q/(rho p)).

Write :math:`\beta(\rho) = \sum_i \min(p_i, q_i/\rho)` for the chance that one draft is accepted. The rule is valid,
that is, a residual exists which makes it lossless, exactly for rho >= rho*, the root on [1, k] of
:math:`1 - (1 - \beta(\rho))^k = \rho \beta(\rho)`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.distribution import Array, as_pair, normalise_or_zero
from theory.drafts import hit_probability, one_num_drafts
from theory.errors import InvalidInput
from theory.ratio import RatioOrder, sorted_blocks
from theory.selection import SelectionLaw

RHO_TOLERANCE = 1e-12
"""How far below rho*, relatively, a given rho may lie and still count as rho* itself."""

_BISECTIONS = 64
"""Halvings of a bracket inside [1, k]: past the last bit of a float64 for k up to 2^10."""


def division_factor(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    r"""The smallest valid division factor rho*, from one sort and a bisection.

    Returned is the end of the last bracket on which the rule is valid, so that the residual there is never negative
    beyond rounding. Equal laws and k = 1 give 1; with disjoint supports every rho accepts nothing, and 1 is returned.
    (Sun et al. 2023, Algorithm 2 and the discussion of its division factor.)

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
    num_drafts : int
        k >= 1.

    Returns
    -------
    array, shape (...)
        In [1, k]; O(V log V) for each row.

    Raises
    ------
    InvalidInput
        If an argument is not a distribution, the two do not match, or k is not an integer >= 1.
    """
    draft_rows, target_rows = as_pair(draft, target)
    return _division_factor(draft_rows, target_rows, one_num_drafts(num_drafts))


def kseq(draft: ArrayLike, target: ArrayLike, num_drafts: int, rho: ArrayLike | None = None) -> SelectionLaw:
    r"""The exact law of K-SEQ with k i.i.d. drafts.

    Acceptance is :math:`1-(1-\beta)^k`, token i accepted with :math:`\min(p_i, q_i/\rho)\,(1-(1-\beta)^k)/\beta`, and
    the residual is what the target still lacks. At rho* the acceptance is at least (1 - 1/e) of the optimum.
    (Sun et al. 2023, Algorithm 2.)

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
    num_drafts : int
        k >= 1.
    rho : array_like, shape (...), optional
        Division factor in [rho*, k]; default rho*. A value below rho* by up to ``RHO_TOLERANCE`` counts as rho*.

    Raises
    ------
    InvalidInput
        As :func:`division_factor`, or if a rho lies outside [rho*, k].
    """
    draft_rows, target_rows = as_pair(draft, target)
    count = one_num_drafts(num_drafts)
    smallest = _division_factor(draft_rows, target_rows, count)
    factor = smallest if rho is None else _checked_rho(rho, smallest, count)
    return law_at(draft_rows, target_rows, count, factor)


def law_at(draft: Array, target: Array, num_drafts: int, rho: Array) -> SelectionLaw:
    """The law at a trusted rho, shape (...). Below rho* it is the law of the rule as written, and not lossless."""
    once = np.minimum(draft, target / rho[..., np.newaxis])
    beta = np.minimum(once.sum(axis=-1), 1.0)
    tries = mean_tries(beta, num_drafts)
    accepted = once * tries[..., np.newaxis]
    replaced = normalise_or_zero(np.maximum(target - accepted, 0.0))
    return SelectionLaw(accepted, replaced, np.minimum(beta * tries, 1.0))


def mean_tries(beta: Array, num_drafts: int) -> Array:
    r"""Expected number of drafts looked at, :math:`(1-(1-\beta)^k)/\beta`, which tends to k as beta vanishes."""
    return np.divide(hit_probability(beta, num_drafts), beta, out=np.full_like(beta, num_drafts), where=beta > 0)


def _division_factor(draft: Array, target: Array, num_drafts: int) -> Array:
    leading = draft.shape[:-1]
    if num_drafts == 1:
        return np.ones(leading)
    flat = np.empty(math.prod(leading))
    for block, by_ratio in sorted_blocks(draft, target):
        flat[block] = _smallest_valid(by_ratio, num_drafts)
    # In these two cases 1 - (1 - beta)^k = rho beta already at rho = 1, which rounding would hide.
    equal = np.all(draft == target, axis=-1)
    disjoint = ~np.any((draft > 0) & (target > 0), axis=-1)
    return np.where(equal | disjoint, 1.0, flat.reshape(leading))


def _smallest_valid(by_ratio: RatioOrder, num_drafts: int) -> Array:
    """rho* of each row: first the stretch between two neighbouring ratios that holds it, then a bisection there.

    While rho lies between the ratios of tokens j-1 and j, beta(rho) = p(first j) + q(the rest)/rho.
    """
    ratio = by_ratio.ratio
    rho = np.clip(ratio, 1.0, num_drafts)
    beta = by_ratio.draft_head[..., :-1] + by_ratio.target_tail[..., :-1] / rho
    at_least = (ratio > 1.0) & ((ratio >= num_drafts) | _is_valid(beta, num_drafts, rho))
    split = np.count_nonzero(at_least, axis=-1, keepdims=True)

    one = np.ones((ratio.shape[0], 1))
    ends = np.concatenate((num_drafts * one, rho, one), axis=-1)
    high, low = (np.take_along_axis(ends, split + shift, axis=-1) for shift in (0, 1))
    head = np.take_along_axis(by_ratio.draft_head, split, axis=-1)
    tail = np.take_along_axis(by_ratio.target_tail, split, axis=-1)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        valid = _is_valid(head + tail / middle, num_drafts, middle)
        low, high = np.where(valid, low, middle), np.where(valid, middle, high)
    return high[:, 0]


def _is_valid(beta: Array, num_drafts: int, rho: Array) -> NDArray[np.bool_]:
    r"""Whether :math:`(1-(1-\beta)^k)/\beta \le \rho`: the condition divided by beta, so that no digit cancels."""
    valid: NDArray[np.bool_] = mean_tries(np.minimum(beta, 1.0), num_drafts) <= rho
    return valid


def _checked_rho(rho: ArrayLike, smallest: Array, num_drafts: int) -> Array:
    try:
        given = np.asarray(rho, dtype=np.float64)
        shape = np.broadcast_shapes(given.shape, smallest.shape)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"rho is not one number for each of the rows of shape {smallest.shape} ({error}): leave rho out to use rho*"
        ) from None
    factor = np.broadcast_to(given, shape)
    bad = ~((factor >= smallest * (1 - RHO_TOLERANCE)) & (factor <= num_drafts))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        least = np.broadcast_to(smallest, factor.shape)[index]
        where = f"rho[{', '.join(map(str, index))}]" if index else "rho"
        raise InvalidInput(
            f"{where} is {factor[index]:.17g}, outside [rho*, num_drafts] = [{least:.17g}, {num_drafts}]: "
            "below rho* the residual is negative, so leave rho out to use rho* itself"
        )
    return np.maximum(factor, smallest)
