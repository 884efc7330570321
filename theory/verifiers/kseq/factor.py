r"""The division factor rho* of K-SEQ, from which on its rule is valid: found in a few passes and without a sort.

It is the root of :math:`F_k(\rho) = k \log(1 - \beta) - \log(1 - \rho\beta)`, a function that rises. One pass over the
tokens gives the sums of :func:`_split`, from which :math:`F_k` and its slope follow for every k: the sums at the root
for k drafts, where the search for it ends, are where the search for k + 1 begins.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.arrays import as_numbers
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.stacks import by_blocks

RHO_TOLERANCE = 1e-12
"""How far below rho*, relatively, a given rho may lie and still count as rho* itself."""

_RESOLUTION = 2.0**-51
"""A bracket of this relative size is the last: two units in the last place."""

_LAST_STEP = 2.0**-46
"""Newton's method has come so near, relatively, that what a step of this size leaves is below rounding."""

_NEAR = 2.0**-10
"""The step before the last has to be this short already, relatively."""

_INNER_STEPS = 4
"""So often Newton's method is applied to the sums of one pass."""

_STEPS = 128
"""More than any row needs: halvings alone end a bracket inside [1, k] after 52 and a few for k."""


class _Split(NamedTuple):
    """Sums over the tokens of one row at a factor rho; beta is head + tail/rho."""

    head: float
    """p where q > rho p"""
    tail: float
    """q elsewhere"""
    excess: float
    """[q - rho p]+, which is 1 - rho beta"""
    missed: float
    """[p - q/rho]+, which is 1 - beta"""


def division_factor(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    r"""The division factor rho* from which on the rule is valid, in a few passes over each row and without sorting it.

    Good to some 60 units in the last place also where beta, or 1 - beta, is far below 1. Equal laws and k = 1
    give 1; with disjoint supports every rho accepts nothing, and 1 is returned.
    ([1]_, Algorithm 2 and the discussion of its division factor.)

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
    num_drafts : int
        k >= 1.

    Returns
    -------
    array, shape (...)
        In [1, k]; O(V log(k/delta)) for each row at the worst, and some five passes as a rule.

    Raises
    ------
    InvalidInput
        If an argument is not a distribution, the two do not match, or k is not an integer >= 1.

    References
    ----------
    .. [1] Z. Sun et al. SpecTr: Fast Speculative Decoding via Optimal Transport. NeurIPS 2023, arXiv:2310.15141.

    Examples
    --------
    >>> from specproof import division_factor
    >>> division_factor([0.5, 0.5], [0.25, 0.75], 2).round(4)
    np.float64(1.309)
    """
    count = one_num_drafts(num_drafts)
    return by_blocks(lambda proposals, laws: smallest_valid(proposals, laws, count), draft, target)


def smallest_valid(draft: Array, target: Array, num_drafts: int) -> Array:
    """Find rho* of trusted rows of one shape (..., V), in float64."""
    return solved(draft, target, num_drafts)[0]


def solved(draft: Array, target: Array, num_drafts: int) -> tuple[Array, Array]:
    """Find rho* of trusted rows of one shape (..., V) and the probability there that one draft is accepted.

    Examples
    --------
    >>> solved(np.array([0.5, 0.5]), np.array([0.25, 0.75]), 1)
    (array(1.), array(0.75))
    """
    factors, beta = np.empty(draft.shape[:-1]), np.empty(draft.shape[:-1])
    flat_draft, flat_target = (np.ascontiguousarray(law.reshape(-1, law.shape[-1])) for law in (draft, target))
    _solve_rows(flat_draft, flat_target, num_drafts, factors.reshape(-1), beta.reshape(-1))
    return factors, beta


@compiled(error_model="numpy", nogil=True)
def factors_up_to(draft: Array, target: Array, num_drafts: int) -> tuple[Array, Array]:
    """For k = 1..K, rho* of trusted rows (n, V) and the probability there that one draft is rejected, both (n, K).

    Some four passes over a row for each k, as rho* rises with k and 1 - (1 - beta)^k does.

    Examples
    --------
    >>> factors_up_to(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]), 2)[0]
    array([[1. , 1.5]])
    """
    rows = draft.shape[0]
    factors, missed = np.empty((rows, num_drafts)), np.empty((rows, num_drafts))
    for row in range(rows):
        rho, split = 1.0, _split(draft[row], target[row], 1.0)
        factors[row, 0], missed[row, 0] = rho, split.missed
        for count in range(2, num_drafts + 1):
            root, rho, split = _solve(draft[row], target[row], count, rho, rho, split)
            factors[row, count - 1], missed[row, count - 1] = root, split.missed
    return factors, missed


@compiled(error_model="numpy", nogil=True)
def _solve_rows(draft: Array, target: Array, num_drafts: int, factors: Array, beta: Array) -> None:
    for row in range(factors.size):
        rho = math.sqrt(num_drafts)  # the laws of language models have it near there
        split = _split(draft[row], target[row], rho)
        if not (split.excess > 0.0 and split.head + split.tail > 0.0):  # all is accepted here, or nothing anywhere
            rho, split = 1.0, _split(draft[row], target[row], 1.0)
        factors[row], _, split = _solve(draft[row], target[row], num_drafts, 1.0, rho, split)
        beta[row] = min(split.head + split.tail / factors[row], 1.0)


@compiled(error_model="numpy", nogil=True)
def _solve(
    draft: Array, target: Array, num_drafts: int, least: float, rho: float, split: _Split
) -> tuple[float, float, _Split]:
    """Steps of :func:`_step` in a bracket, which is halved where one leaves it or is no shorter than half the last.

    The search begins at ``rho``, with the sums there; the root is no less than ``least``. Across a kink two steps may
    throw each other back for ever; steps that halve in length cannot. A short step is the last only after others: where
    almost all is accepted, first steps are far too short. Returned are the root, and the last factor that was tried
    with its sums, which differs from the root by rounding.
    """
    value, slope = _validity(split, num_drafts, rho)
    low, high = (least, rho) if value >= 0.0 else (rho, float(num_drafts))
    if low == high:
        return rho, rho, split
    length = high - low
    for _ in range(_STEPS):
        step = _step(split, num_drafts, rho, value, slope)
        following = rho + step
        if abs(step) <= min(_LAST_STEP * rho, 0.5 * length) and length <= _NEAR * rho:
            return min(max(following, least), high), rho, split
        if not (low < following < high and abs(following - rho) <= 0.5 * length):
            following = 0.5 * (low + high)
        length = abs(following - rho)
        if high - low <= _RESOLUTION * high:
            return high, rho, split
        rho = following
        split = _split(draft, target, rho)
        value, slope = _validity(split, num_drafts, rho)
        low, high = (low, rho) if value >= 0.0 else (rho, high)
    return high, rho, split


@compiled(error_model="numpy", nogil=True)
def _step(split: _Split, num_drafts: int, rho: float, value: float, slope: float) -> float:
    """The step to where the function vanishes if no token changes sides, which is Newton's to first order.

    There it is the value here and what the logarithms gain, in which nothing cancels.
    """
    step = -value / slope
    for _ in range(_INNER_STEPS):
        found, lost = split.tail * step / (rho * (rho + step)), split.head * step
        gained = num_drafts * math.log1p(found / split.missed) - math.log1p(-lost / split.excess)
        steeper = num_drafts * split.tail / ((rho + step) ** 2 * (split.missed + found))
        step -= (value + gained) / (steeper + split.head / (split.excess - lost))
    return step if math.isfinite(step) else -value / slope


@compiled(error_model="numpy", nogil=True)
def _validity(split: _Split, num_drafts: int, rho: float) -> tuple[float, float]:
    """The function k log(1 - beta) - log(1 - rho beta), and its slope: it rises, with a kink at every rho = q/p.

    It is >= 0 from rho* on. It is infinite, with no slope, where all is accepted or nothing can be.
    """
    head, tail, excess, missed = split
    beta = head + tail / rho
    if excess <= 0.0 or beta <= 0.0:
        return math.inf, math.inf
    slope = num_drafts * tail / (rho * rho * missed) + head / excess
    if num_drafts * beta <= 1.0:
        return num_drafts * math.log1p(-beta) - math.log1p(-rho * beta), slope
    # Here 1 - beta or 1 - rho beta may be far below 1, so each is taken as a sum of what is missed.
    return num_drafts * math.log(missed) - math.log(excess), slope


@compiled(fastmath={"reassoc", "contract", "nsz"}, nogil=True)
def _split(draft: Array, target: Array, rho: float) -> _Split:
    """One pass, summed in any order."""
    head, tail, excess, missed = 0.0, 0.0, 0.0, 0.0
    for token in range(draft.size):
        p, q = draft[token], target[token]
        lacking = q - rho * p
        above = lacking > 0.0
        head += p if above else 0.0
        tail += 0.0 if above else q
        excess += lacking if above else 0.0
        missed -= 0.0 if above else lacking
    return _Split(head, tail, excess, missed / rho)


def checked_rho(rho: ArrayLike, smallest: Array, num_drafts: int) -> Array:
    """Check given division factors against rho*, shape (...).

    Raises
    ------
    InvalidInput
        If they are not one for each row, or one lies outside [rho*, k].
    """
    given = as_numbers(rho, "rho")
    try:
        shape = np.broadcast_shapes(given.shape, smallest.shape)
    except ValueError:
        raise InvalidInput(
            f"rho has shape {given.shape} and the rows {smallest.shape}: leave rho out to use rho* of each"
        ) from None
    factor = np.broadcast_to(given, shape)
    bad = ~((factor >= smallest * (1 - RHO_TOLERANCE)) & (factor <= num_drafts))
    if bad.any():
        where, index = first_entry(bad, "rho")
        least = np.broadcast_to(smallest, factor.shape)[index]
        above = factor[index] > num_drafts
        why = (
            "a larger factor than num_drafts only accepts less" if above else "below rho* it is not sure to be lossless"
        )
        raise InvalidInput(
            f"{where} is {factor[index]:.17g}, outside [rho*, num_drafts] = [{least:.17g}, {num_drafts}]: "
            f"{why}, so leave rho out to use rho* itself"
        )
    return np.maximum(factor, smallest)
