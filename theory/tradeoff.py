r"""Quality against speed: accepting more than is lossless (Yin et al. 2024, section 4).

A rule accepts a drafted x ~ p with probability b(x) and else emits from a law P. With :math:`R = \sum_x (1-b(x)) p(x)`
its output is :math:`A(x) = b(x) p(x) + R\,P(x)`; what it gains in rejections it may lose in bias, TV(A, q).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.arrays import as_numbers
from specproof.theory.distribution import Array, as_pair, normalise_or_zero
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.sum_tolerance import sum_tolerance


class ParetoPoint(NamedTuple):
    """Where a rule with the best resampling law lies; both of shape (...).

    Examples
    --------
    >>> from specproof import pareto_point
    >>> pareto_point([0.5, 0.5], [0.25, 0.75], [1.0, 1.0])
    ParetoPoint(rejection=np.float64(0.0), bias=np.float64(0.25))
    """

    rejection: Array
    """The draft is rejected with this probability, R."""
    bias: Array
    """This is the least TV(A, q) over all resampling laws P."""


def relaxed_acceptance(draft: ArrayLike, target: ArrayLike, epsilon: ArrayLike) -> Array:
    r"""Over-acceptance :math:`b_\epsilon(x) = \min(1, (q(x)+\epsilon)/p(x))`, 1 where p = 0; shape (..., V).

    epsilon = 0 is the lossless rule, epsilon = 1 accepts everything. ([1]_, section 4.)

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
    epsilon : array_like, broadcasting against the leading axes
        At least 0.

    Raises
    ------
    InvalidInput
        If an argument is not a distribution, the two do not match, or an epsilon is negative or NaN.

    References
    ----------
    .. [1] M. Yin et al. A Theoretical Perspective for Speculative Decoding Algorithm. NeurIPS 2024,
       arXiv:2411.00841.

    Examples
    --------
    >>> from specproof import relaxed_acceptance
    >>> relaxed_acceptance([0.5, 0.5], [0.25, 0.75], 0.125).tolist()
    [0.75, 1.0]
    """
    return over_acceptance(*as_pair(draft, target), epsilon)


def minimal_bias(draft: ArrayLike, target: ArrayLike, accept: ArrayLike) -> Array:
    r"""The least bias that any resampling law P leaves with acceptance b, shape (...).

    .. math:: \min_P TV(A, q) = \tfrac12 \sum |q - bp| - \tfrac12 R = \sum [bp - q]_+

    As A >= bp, no P can undo an excess of bp over q; and as :math:`\sum [q-bp]_+ \ge R`, some P adds no more. The
    formula holds for every b in [0, 1]; what it is with R where b >= min(1, q/p), :func:`pareto_point` says.
    ([1]_, Theorem 4.)

    Parameters
    ----------
    draft, target, accept : array_like, shape (..., V)
        accept is b, in [0, 1].

    Raises
    ------
    InvalidInput
        If draft or target is not a distribution, the shapes do not match, or an acceptance is outside [0, 1].

    References
    ----------
    .. [1] M. Yin et al. A Theoretical Perspective for Speculative Decoding Algorithm. NeurIPS 2024,
       arXiv:2411.00841.

    Examples
    --------
    >>> from specproof import minimal_bias
    >>> minimal_bias([0.5, 0.5], [0.25, 0.75], [[1.0, 1.0], [0.5, 1.0]]).tolist()
    [0.25, 0.0]
    """
    _, target_rows, accepted = accepted_mass(draft, target, accept)
    return clipped(np.maximum(accepted - target_rows, 0.0).sum(axis=-1))


def pareto_point(draft: ArrayLike, target: ArrayLike, accept: ArrayLike) -> ParetoPoint:
    r"""Rejection and least bias of an over-acceptance b >= min(1, q/p): a point of the line R + bias = TV(p, q).

    For any b in [0, 1] the sum is :math:`TV(p, q) + \sum_x [\min(p, q) - b p]_+ (x)`. So every rule lies on the line or
    above it, and those on it are the over-acceptances. A token with p = 0 is never drafted, and its b is free.
    ([1]_, Theorem 5.)

    Parameters
    ----------
    draft, target, accept : array_like, shape (..., V)
        accept is b, from min(1, q/p) to 1.

    Raises
    ------
    InvalidInput
        As :func:`minimal_bias`, or if an acceptance is below min(1, q/p) by more than some of it: twice what
        :func:`~specproof.theory.sum_tolerance.sum_tolerance` allows each law, by as much as normalising them moves q/p.

    References
    ----------
    .. [1] M. Yin et al. A Theoretical Perspective for Speculative Decoding Algorithm. NeurIPS 2024,
       arXiv:2411.00841.

    Examples
    --------
    >>> from specproof import pareto_point
    >>> point = pareto_point([0.5, 0.5], [0.25, 0.75], [0.75, 1.0])
    >>> float(point.rejection), float(point.bias)
    (0.125, 0.125)
    """
    draft_rows, target_rows, accepted = accepted_mass(draft, target, accept)
    tolerance = 2 * max(sum_tolerance(law, accepted.shape[-1]) for law in (draft, target))
    # Products below the smallest normal number have lost their digits.
    missing = (1.0 - tolerance) * np.minimum(draft_rows, target_rows) - accepted > np.finfo(np.float64).tiny
    if missing.any():
        where, index = first_entry(missing, "accept")
        value = np.broadcast_to(as_numbers(accept, "accept"), missing.shape)[index]
        least = np.broadcast_to(relaxed_acceptance(draft_rows, target_rows, 0.0), missing.shape)[index]
        raise InvalidInput(
            f"{where} is {value} and min(1, q/p) is {least} there: on the line are over-acceptances alone, "
            "so raise it, or ask minimal_bias, which takes any"
        )
    rejection = clipped(np.maximum(draft_rows - accepted, 0.0).sum(axis=-1))
    return ParetoPoint(rejection, clipped(np.maximum(accepted - target_rows, 0.0).sum(axis=-1)))


def optimal_resampling(draft: ArrayLike, target: ArrayLike, accept: ArrayLike) -> Array:
    r"""A resampling law with the least bias: :math:`P^* \propto [q - bp]_+`, shape (..., V).

    Every P with R P <= [q - bp]_+ pointwise is as good. A row of zeros where q <= bp throughout: nothing is ever
    rejected there. ([1]_, Theorem 4.)

    Raises
    ------
    InvalidInput
        As :func:`minimal_bias`.

    References
    ----------
    .. [1] M. Yin et al. A Theoretical Perspective for Speculative Decoding Algorithm. NeurIPS 2024,
       arXiv:2411.00841.

    Examples
    --------
    >>> from specproof import optimal_resampling
    >>> optimal_resampling([0.5, 0.5], [0.25, 0.75], [0.5, 1.0]).tolist()
    [0.0, 1.0]
    """
    _, target_rows, accepted = accepted_mass(draft, target, accept)
    return normalise_or_zero(np.maximum(target_rows - accepted, 0.0))


def over_acceptance(draft: Array, target: Array, epsilon: ArrayLike) -> Array:
    """Compute what :func:`relaxed_acceptance` gives, of laws that :func:`as_pair` has checked."""
    slack = as_numbers(epsilon, "epsilon")
    if not np.all(slack >= 0):
        where, index = first_entry(~(slack >= 0), "epsilon")
        raise InvalidInput(f"{where} is {slack[index]}: it must be at least 0, where 0 is the lossless rule")
    try:
        raised = target + slack[..., np.newaxis]
    except ValueError:
        raise InvalidInput(
            f"epsilon has shape {slack.shape} and the laws {target.shape}: its axes are their leading axes"
        ) from None
    # Compared before dividing, so that a tiny p does not overflow the quotient.
    accept: Array = np.divide(raised, draft, out=np.ones_like(raised), where=raised < draft)
    return accept


def accepted_mass(draft: ArrayLike, target: ArrayLike, accept: ArrayLike) -> tuple[Array, Array, Array]:
    """Return p, q and b p, of one shape."""
    draft_rows, target_rows = as_pair(draft, target)
    probability = as_numbers(accept, "accept")
    bad = ~((probability >= 0) & (probability <= 1))
    if bad.any():
        where, index = first_entry(bad, "accept")
        raise InvalidInput(f"{where} is {probability[index]}: an acceptance probability lies in [0, 1]")
    try:
        if probability.shape[-1:] != draft_rows.shape[-1:]:
            raise ValueError
        return draft_rows, target_rows, probability * draft_rows
    except ValueError:
        raise InvalidInput(
            f"accept has shape {probability.shape} and draft {draft_rows.shape}: give one probability for each token"
        ) from None


def clipped(sums: Array) -> Array:
    """Clip to 1 what rounding may take past it by a few units in the last place."""
    clipped: Array = np.minimum(sums, 1.0)
    return clipped
