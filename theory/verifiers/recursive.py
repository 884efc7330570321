r"""Recursive rejection sampling with replacement: i.i.d. drafts tried in turn, each against the residual before it.

Write :math:`q^1 = q` and :math:`q^{m+1} = [q^m - p]_+ / TV(q^m, p)`. Draft m is accepted with probability
:math:`\min(1, q^m/p)`; when all fail, the token comes from :math:`q^{k+1}` [1]_ [2]_.

Without the quotients, with :math:`u^m = q^m \prod_{l<m} TV(q^l, p)`, the recursion is
:math:`u^{m+1} = [u^m - |u^m|\,p]_+`, and :math:`\min(u^m_i, |u^m| p_i)` is the probability that draft m is the accepted
one and is token i. The first step takes :math:`|q|` for 1, so that rounding in its sum leaves nothing where q = p.

References
----------
.. [1] Miao et al. 2023, SpecInfer, arXiv 2305.09781, multi-step speculative sampling.
.. [2] Yin et al. 2024, A Theoretical Perspective for Speculative Decoding Algorithm, Algorithm 3, first position.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.arrays import in_one_layout
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array, as_pair, as_single_pair, normalise_or_zero, residual
from specproof.theory.drafts import num_drafts_of_array, one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.ratio import acceptance_ratio
from specproof.theory.rationals import as_integers
from specproof.theory.verifiers.in_order import agreement_along, agreement_in_order, first_success
from specproof.theory.verifiers.registry import Verifier, register_verifier
from specproof.theory.verifiers.selection_law import SelectionLaw
from specproof.theory.verifiers.skipped_drafts import clock_after

_ONE_BY_ONE = 64
"""So many drafts are followed one by one, which loses no digit where a residual is small; all others at once."""

MOST_BITS_MET = 2**36
"""An exact acceptance is followed through integers of at most so many bits together: a matter of seconds."""


def recursive_rejection(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> SelectionLaw:
    r"""The exact law of recursive rejection with k i.i.d. drafts; acceptance is :math:`1 - \prod_{m \le k} TV(q^m, p)`.

    What is accepted is added up draft by draft, and the acceptance taken from the smaller of the masses that are
    accepted and rejected, so that it keeps its digits wherever it lies. O(kV) a row for 64 drafts or fewer, and
    O(V log V) more for any number beyond (:mod:`~specproof.theory.verifiers.skipped_drafts`).

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
        Leading axes broadcast.
    num_drafts : int
        k >= 1.

    Raises
    ------
    InvalidInput
        If an argument is not a distribution, the two do not match, or k is not an integer >= 1.

    Examples
    --------
    >>> law = recursive_rejection([0.5, 0.5], [0.25, 0.75], 2)
    >>> float(law.acceptance), law.accepted.tolist(), law.residual.tolist()
    (0.875, [0.25, 0.625], [0.0, 1.0])
    """
    draft_rows, target_rows = as_pair(draft, target)
    accepted = np.zeros_like(target_rows)
    weights = residual_weights(draft_rows, target_rows, one_num_drafts(num_drafts), accepted)
    kept, rejected = accepted.sum(axis=-1), weights.sum(axis=-1)
    acceptance = np.where(kept < rejected, kept, np.maximum(1.0 - rejected, 0.0))
    return SelectionLaw(accepted, normalise_or_zero(weights), acceptance)


def recursive_acceptance(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    """The acceptance of :func:`recursive_rejection` alone, shape (...), in one pass over a row for each of some drafts.

    Raises
    ------
    InvalidInput
        As :func:`recursive_rejection`.

    Examples
    --------
    >>> float(recursive_acceptance([0.5, 0.5], [0.25, 0.75], 2))
    0.875
    """
    count = one_num_drafts(num_drafts)
    if count > _ONE_BY_ONE:
        return recursive_rejection(draft, target, count).acceptance
    draft_rows, target_rows = as_pair(draft, target)
    size = draft_rows.shape[-1]
    proposals, laws = (in_one_layout(law.reshape(-1, size), np.float64) for law in (draft_rows, target_rows))
    return _kept(proposals, laws, count).reshape(draft_rows.shape[:-1])


@compiled(error_model="numpy", fastmath={"reassoc", "contract", "nsz"}, nogil=True)
def _kept(draft: Array, target: Array, num_drafts: int) -> Array:
    """What k drafts accept of each row, from the smaller of the masses that are accepted and rejected."""
    found, weights = np.empty(draft.shape[0]), np.empty(draft.shape[1])
    for row in range(draft.shape[0]):
        weights[:], mass, kept = target[row], 1.0, 0.0
        for _ in range(num_drafts):
            left = 0.0
            for token in range(weights.size):
                accepted = min(weights[token], mass * draft[row, token])
                weights[token] -= accepted
                kept += accepted
                left += weights[token]
            mass = left
        found[row] = kept if kept < mass else max(1.0 - mass, 0.0)
    return found


def residual_weights(draft: Array, target: Array, num_drafts: int, accepted: Array | None = None) -> Array:
    r"""The residual after k drafts, not normalised: :math:`q^{k+1} \prod_{m \le k} TV(q^m, p)`, shape (..., V).

    Parameters
    ----------
    draft, target : array, shape (..., V)
        Trusted to be distributions, of one shape.
    num_drafts : int
    accepted : array, shape (..., V), optional
        The probability that one of the drafts is accepted and is token i is added to it in place.

    Examples
    --------
    >>> residual_weights(np.array([0.5, 0.5]), np.array([0.25, 0.75]), 1).tolist()
    [0.0, 0.25]
    """
    weights, offered = target, draft
    for _ in range(min(num_drafts, _ONE_BY_ONE)):
        smaller = np.maximum(weights - offered, 0.0)
        if accepted is not None:
            accepted += np.minimum(offered, weights)
        weights, offered = smaller, smaller.sum(axis=-1, keepdims=True) * draft
    if num_drafts > _ONE_BY_ONE:
        clocks = np.empty((*draft.shape[:-1], 1))
        for row in np.ndindex(draft.shape[:-1]):
            clocks[row] = clock_after(draft[row], weights[row], num_drafts - _ONE_BY_ONE)
        if accepted is not None:
            accepted += np.minimum(clocks * draft, weights)
        weights = np.maximum(weights - clocks * draft, 0.0)
    return weights


def residual_limit(draft: Array, target: Array) -> Array:
    r"""The limit of :func:`residual_weights` as k grows: q where p = 0, and nothing else, shape (..., V).

    A token that can be drafted loses at least :math:`q(p=0)\,p_i` a step. If that is positive it is gone after
    finitely many steps; if not, the mass itself tends to 0, as u keeps no support.

    Examples
    --------
    >>> residual_limit(np.array([1.0, 0.0]), np.array([0.75, 0.25])).tolist()
    [0.0, 0.25]
    """
    return np.where(draft > 0, 0.0, target)


def recursive_agreement(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    """The probability that token i is accepted and j = 1..k drafts are token i, shape (..., V, k).

    Draft m has the chance min(p, q^m). Where the residual is nothing, no further draft is tried.

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
    num_drafts : int
        k >= 1.

    Raises
    ------
    InvalidInput
        As :func:`recursive_rejection`, or if k is so large that no array holds the result.

    Examples
    --------
    >>> recursive_agreement([0.5, 0.5], [0.25, 0.75], 2).tolist()
    [[0.125, 0.125], [0.375, 0.25]]
    """
    draft_rows, law = as_pair(draft, target)
    chances = np.empty((num_drafts_of_array(num_drafts, draft_rows.shape), *draft_rows.shape))
    for chance in chances:
        np.minimum(draft_rows, law, out=chance)
        law = normalise_or_zero(np.maximum(law - draft_rows, 0.0))
    return agreement_in_order(draft_rows, chances)


def recursive_agreement_at(draft: Array, target: Array, tokens: NDArray[np.int64], num_drafts: int) -> Array:
    """The law of :func:`recursive_agreement` at one token of each row for k = 1..K, shape (n, K, K).

    The residuals do not depend on k: one pass over a row for each draft is all there is.
    Parameters are those of :data:`specproof.theory.verifiers.registry.AgreementAt`.

    Examples
    --------
    >>> recursive_agreement_at(np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]]), np.array([0]), 2).tolist()
    [[[0.25, 0.0], [0.125, 0.125]]]
    """
    chances, rejected = np.empty((2, tokens.size, num_drafts))
    _follow_residuals(draft, target, tokens, chances, rejected)
    return agreement_along(draft[np.arange(tokens.size), tokens], chances, rejected)


@compiled(error_model="numpy")
def _follow_residuals(draft: Array, target: Array, tokens: NDArray[np.int64], chances: Array, rejected: Array) -> None:
    """Write down, for each try of each row, the chance of the token and the probability of all rejected ones."""
    weights = np.empty(draft.shape[1])
    for row in range(tokens.size):
        weights[:], mass = target[row], 1.0
        for index in range(chances.shape[1]):
            law = weights[tokens[row]] / mass
            chances[row, index] = min(draft[row, tokens[row]], law)
            mass, rejected[row, index] = _next_residual(draft[row], weights, mass)
            mass = mass if mass > 0.0 else math.inf  # nothing is left, and all that follows is rejected


@compiled(error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _next_residual(draft: Array, weights: Array, mass: float) -> tuple[float, float]:
    """Replace weights, of a law times its mass, by [law - p]+; return their sum and that of [p - law]+."""
    left, rejected = 0.0, 0.0
    for token in range(draft.size):
        gap = weights[token] / mass - draft[token]
        weights[token] = max(gap, 0.0)
        left += max(gap, 0.0)
        rejected += max(-gap, 0.0)
    return left, rejected


def recursive_given(draft: Array, target: Array, drafts: NDArray[np.int64]) -> Array:
    """The rule for given drafts, shape (N, k): draft m is accepted with probability min(1, q^m/p).

    Parameters are those of :data:`specproof.theory.verifiers.registry.GivenDrafts`. (Yin et al. 2024, Algorithm 3.)

    Examples
    --------
    >>> recursive_given(np.array([0.5, 0.5]), np.array([0.25, 0.75]), np.array([[0, 0], [0, 1]])).tolist()
    [[0.5, 0.0], [0.5, 0.5]]
    """
    chances, law = np.empty(drafts.shape), target
    for place in range(drafts.shape[1]):
        chances[:, place] = acceptance_ratio(draft, law)[drafts[:, place]]
        following = residual(draft, law)
        law = following if following.any() else law
    return first_success(chances)


def certify_recursive(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> tuple[Fraction, Fraction]:
    """The acceptance of one pair as a rational number, without rounding: both bounds are that number.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    num_drafts : int
        k >= 1. The integers grow with k, and the work with its square.

    Raises
    ------
    InvalidInput
        If the arguments are not one pair of distributions of shape (V,), k is not an integer >= 1, or the integers
        that are met would have more than ``MOST_BITS_MET`` bits together.

    Examples
    --------
    >>> certify_recursive([0.5, 0.5], [0.25, 0.75], 2)
    (Fraction(7, 8), Fraction(7, 8))
    """
    proposal, weights = (as_integers(row) for row in as_single_pair(draft, target, "certify_recursive"))
    unit, whole = sum(proposal), sum(weights)
    count, most = one_num_drafts(num_drafts), math.isqrt(MOST_BITS_MET // (len(weights) * unit.bit_length()))
    if count > most:
        raise InvalidInput(
            f"num_drafts is {count}: exact residuals are too long to follow, so take at most {most} drafts here"
        )
    for _ in range(count):
        mass = sum(weights)
        weights = tuple(max(weight * unit - mass * p, 0) for weight, p in zip(weights, proposal, strict=True))
    acceptance = 1 - Fraction(sum(weights), whole * unit**count)
    return acceptance, acceptance


register_verifier(
    Verifier(
        name="recursive",
        label="recursive rejection",
        colour="#CC79A7",
        marker="d",
        law=recursive_rejection,
        agreement=recursive_agreement,
        agreement_at=recursive_agreement_at,
        given_drafts=recursive_given,
        certificate=certify_recursive,
        acceptance=recursive_acceptance,
    )
)
