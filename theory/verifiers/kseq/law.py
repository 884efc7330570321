r"""K-SEQ (Sun et al. 2023, Algorithm 2): k drafts tried in turn with acceptance min(1, q/(rho p)).

Write :math:`\beta(\rho) = \sum_i \min(p_i, q_i/\rho)` for the chance that one draft is accepted. The rule is
valid, that is, a residual exists which makes it lossless, for every rho >= rho*, the root on [1, k] of
:math:`1 - (1 - \beta(\rho))^k = \rho \beta(\rho)`. A smaller factor is valid only if rho* caps no token, that is,
:math:`0 < q < \rho^* p` for none, as with a target of one token; then every factor up to rho* is the same rule.

*Proof.* Token i is accepted with :math:`t \min(p_i, q_i/\rho)`, where :math:`t(\rho) = (1-(1-\beta)^k)/\beta` rises
with rho and is above it exactly below rho*. A capped token gets :math:`q_i t/\rho`, which is at most :math:`q_i` just
if :math:`t \le \rho`; then so it is for all tokens. Let m be the least q/p where both are positive, so that factors
above m cap a token. Those up to m have one t, valid just if :math:`t \le m`, and then rho* = t caps none.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.arrays import as_numbers
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array, as_pair
from specproof.theory.drafts import hit_probability, one_num_drafts
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.verifiers.selection_law import SelectionLaw

RHO_TOLERANCE = 1e-12
"""How far below rho*, relatively, a given rho may lie and still count as rho* itself."""

_RESOLUTION = 2.0**-51
"""A step, or a bracket, of this relative size is the last: two units in the last place."""

_STEPS = 128
"""More than any row needs: halvings alone end a bracket inside [1, k] after 52 and a few for k."""


def division_factor(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    r"""The division factor rho* from which on the rule is valid, in a few passes over each row and without sorting it.

    Good to a few units in the last place also where beta, or 1 - beta, is far below 1. Equal laws and k = 1
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
        In [1, k]; O(V log(k/delta)) for each row at the worst, and some six passes as a rule.

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
    draft_rows, target_rows = as_pair(draft, target)
    return smallest_valid(draft_rows, target_rows, one_num_drafts(num_drafts))


def kseq(draft: ArrayLike, target: ArrayLike, num_drafts: int, rho: ArrayLike | None = None) -> SelectionLaw:
    r"""The exact law of K-SEQ with k i.i.d. drafts.

    Acceptance is :math:`1-(1-\beta)^k`, token i accepted with :math:`\min(p_i, q_i/\rho)\,(1-(1-\beta)^k)/\beta`, and
    the residual is what the target still lacks. At rho* the acceptance is at least (1 - 1/e) of the optimum.
    ([1]_, Algorithm 2.)

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

    References
    ----------
    .. [1] Z. Sun et al. SpecTr: Fast Speculative Decoding via Optimal Transport. NeurIPS 2023, arXiv:2310.15141.

    Examples
    --------
    >>> from specproof import kseq
    >>> law = kseq([0.5, 0.5], [0.25, 0.75], 2)
    >>> round(float(law.acceptance), 6), law.output.round(9).tolist()
    (0.904508, [0.25, 0.75])
    """
    draft_rows, target_rows = as_pair(draft, target)
    count = one_num_drafts(num_drafts)
    smallest = smallest_valid(draft_rows, target_rows, count)
    factor = smallest if rho is None else checked_rho(rho, smallest, count)
    return law_at(draft_rows, target_rows, count, factor)


def law_at(draft: Array, target: Array, num_drafts: int, rho: Array) -> SelectionLaw:
    """The law at a trusted rho, shape (...). Below rho* it is the law of the rule as written, lossless or not."""
    size = draft.shape[-1]
    shape = (*np.broadcast_shapes(draft.shape[:-1], rho.shape), size)
    flat_draft, flat_target = (
        np.ascontiguousarray(np.broadcast_to(law, shape).reshape(-1, size)) for law in (draft, target)
    )
    accepted, residual = np.empty_like(flat_draft), np.empty_like(flat_draft)
    beta = np.empty(flat_draft.shape[0])
    _accept_once(flat_draft, flat_target, np.broadcast_to(rho, shape[:-1]).reshape(-1), accepted, beta)
    beta = np.minimum(beta, 1.0)
    tries = mean_tries(beta, num_drafts)
    _settle(accepted, flat_target, tries, residual)
    acceptance = np.minimum(beta * tries, 1.0).reshape(shape[:-1])
    return SelectionLaw(accepted.reshape(shape), residual.reshape(shape), acceptance)


@compiled(error_model="numpy", fastmath={"reassoc", "contract", "nsz"}, nogil=True)
def _accept_once(draft: Array, target: Array, rho: Array, once: Array, beta: Array) -> None:
    """The probability min(p, q/rho) that one draft is a token and accepted, and its sum in each row."""
    for row in range(rho.size):
        total = 0.0
        for token in range(draft.shape[1]):
            kept = min(draft[row, token], target[row, token] / rho[row])
            once[row, token] = kept
            total += kept
        beta[row] = total


@compiled(error_model="numpy", fastmath={"reassoc", "contract", "nsz"}, nogil=True)
def _settle(accepted: Array, target: Array, tries: Array, residual: Array) -> None:
    """Multiply what one draft accepts by the mean number of tries, and normalise what the target still lacks."""
    for row in range(tries.size):
        lacking = 0.0
        for token in range(target.shape[1]):
            kept = accepted[row, token] * tries[row]
            accepted[row, token] = kept
            left = max(target[row, token] - kept, 0.0)
            residual[row, token] = left
            lacking += left
        if lacking > 0.0:
            for token in range(target.shape[1]):
                residual[row, token] /= lacking


def acceptance_at(draft: Array, target: Array, num_drafts: int, rho: Array) -> Array:
    """The acceptance of :func:`law_at` alone, shape (...)."""
    beta = np.minimum(draft, target / rho[..., np.newaxis]).sum(axis=-1)
    return hit_probability(beta, num_drafts)


def mean_tries(beta: Array, num_drafts: int) -> Array:
    r"""Expected number of drafts looked at, :math:`(1-(1-\beta)^k)/\beta`, which tends to k as beta vanishes."""
    return np.divide(hit_probability(beta, num_drafts), beta, out=np.full_like(beta, num_drafts), where=beta > 0)


def smallest_valid(draft: Array, target: Array, num_drafts: int, least: Array | None = None) -> Array:
    """Find rho* of trusted rows of one shape (..., V), in float64.

    It is looked for from ``least`` upwards, of shape (...), by default 1: rho* of fewer drafts is less, as
    1 - (1 - beta)^k rises with k, and nearer.
    """
    factors = np.ones(draft.shape[:-1]) if least is None else least.copy()
    if num_drafts > 1:
        flat_draft, flat_target = (np.ascontiguousarray(law.reshape(-1, law.shape[-1])) for law in (draft, target))
        _solve_rows(flat_draft, flat_target, num_drafts, factors.reshape(-1))
    return factors


def rejected_mass(draft: Array, target: Array, rho: Array) -> Array:
    """The probability that one draft is rejected, sum [p - q/rho]+, of trusted rows (n, V) and factors (n,)."""
    missed = np.empty_like(rho)
    _miss_rows(draft, target, rho, missed)
    return missed


@compiled(error_model="numpy")
def _miss_rows(draft: Array, target: Array, rho: Array, missed: Array) -> None:
    for row in range(rho.size):
        missed[row] = _split(draft[row], target[row], rho[row])[3]


@compiled(error_model="numpy")
def _solve_rows(draft: Array, target: Array, num_drafts: int, factors: Array) -> None:
    for row in range(factors.size):
        factors[row] = _solve(draft[row], target[row], num_drafts, factors[row])


@compiled(error_model="numpy")
def _solve(draft: Array, target: Array, num_drafts: int, least: float) -> float:
    """Newton's method on :func:`_validity`, in a bracket that is halved where a step leaves it or is no shorter.

    Across a kink two Newton steps may throw each other back for ever; steps that halve in length cannot.
    """
    low, high, rho = least, float(num_drafts), least
    value, slope = _validity(draft, target, num_drafts, rho)
    if value >= 0.0:
        return rho
    length = high - low
    for _ in range(_STEPS):
        following = rho - value / slope
        if not (low < following < high and abs(following - rho) <= 0.5 * length):
            following = 0.5 * (low + high)
        length = abs(following - rho)
        if length <= _RESOLUTION * rho or high - low <= _RESOLUTION * high:
            return float(max(following, rho))
        rho = following
        value, slope = _validity(draft, target, num_drafts, rho)
        low, high = (low, rho) if value >= 0.0 else (rho, high)
    return high


@compiled(error_model="numpy")
def _validity(draft: Array, target: Array, num_drafts: int, rho: float) -> tuple[float, float]:
    """The function k log(1 - beta) - log(1 - rho beta), and its slope: it rises, with a kink at every rho = q/p.

    It is >= 0 from rho* on. It is infinite, with no slope, where all is accepted or nothing can be.
    """
    head, tail, excess, missed = _split(draft, target, rho)
    beta = head + tail / rho
    if excess <= 0.0 or beta <= 0.0:
        return math.inf, math.inf
    slope = num_drafts * tail / (rho * rho * missed) + head / excess
    if num_drafts * beta <= 1.0:
        return num_drafts * math.log1p(-beta) - math.log1p(-rho * beta), slope
    # Here 1 - beta or 1 - rho beta may be far below 1, so each is taken as a sum of what is missed.
    return num_drafts * math.log(missed) - math.log(excess), slope


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _split(draft: Array, target: Array, rho: float) -> tuple[float, float, float, float]:
    """One pass: p where q > rho p, q elsewhere, [q - rho p]+ and [p - q/rho]+, summed in any order."""
    head, tail, excess, missed = 0.0, 0.0, 0.0, 0.0
    for token in range(draft.size):
        p, q = draft[token], target[token]
        lacking = q - rho * p
        above = lacking > 0.0
        head += p if above else 0.0
        tail += 0.0 if above else q
        excess += lacking if above else 0.0
        missed -= 0.0 if above else lacking
    return head, tail, excess, missed / rho


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
