r"""Quality against speed: accepting more than is lossless (Yin et al. 2024, section 4).

A rule accepts a drafted x ~ p with probability b(x) and else emits from a law P. With :math:`R = \sum_x (1-b(x)) p(x)`
its output is :math:`A(x) = b(x) p(x) + R\,P(x)`; what it gains in rejections it may lose in bias, TV(A, q).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.display import one_line
from specproof.theory.distribution import SUM_TOLERANCE, Array, as_distribution, as_numbers, as_pair, normalise_or_zero
from specproof.theory.errors import InvalidInput, first_entry

ACCEPT_TOLERANCE = 2 * SUM_TOLERANCE
"""How far below min(1, q/p), relative to it, an acceptance passes for an over-acceptance. Each law may sum to 1 within
``SUM_TOLERANCE`` and is then normalised, by which the quotient moves as much; rounding of float32 is less."""


@dataclass(frozen=True, eq=False, repr=False)
class RelaxedLaw:
    """The exact law of a rule that need not be lossless.

    Attributes
    ----------
    output : array, shape (..., V)
        The emitted token has this law, A.
    rejection : array, shape (...)
        The draft is rejected with this probability, R.
    bias : array, shape (...)
        The bias is the total variation distance TV(A, q).

    Examples
    --------
    >>> from specproof import decoding_opt
    >>> law = decoding_opt([0.5, 0.5], [0.25, 0.75], 0.125)
    >>> law.output.tolist(), float(law.rejection), float(law.bias)
    ([0.375, 0.625], 0.125, 0.125)
    """

    output: Array
    rejection: Array
    bias: Array

    __repr__ = one_line


NOTHING = 1e-12
"""A rejection probability that rounding alone may leave: a row of zeros will do for what is then resampled."""


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
    draft_rows, target_rows = as_pair(draft, target)
    slack = as_numbers(epsilon, "epsilon")
    if not np.all(slack >= 0):
        where, index = first_entry(~(slack >= 0), "epsilon")
        raise InvalidInput(f"{where} is {slack[index]}: it must be at least 0, where 0 is the lossless rule")
    try:
        raised = target_rows + slack[..., np.newaxis]
    except ValueError:
        raise InvalidInput(
            f"epsilon has shape {slack.shape} and the laws {target_rows.shape}: its axes are their leading axes"
        ) from None
    # Compared before dividing, so that a tiny p does not overflow the quotient.
    accept: Array = np.divide(raised, draft_rows, out=np.ones_like(raised), where=raised < draft_rows)
    return accept


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
    _, target_rows, accepted = _accepted(draft, target, accept)
    return _probability(np.maximum(accepted - target_rows, 0.0).sum(axis=-1))


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
        As :func:`minimal_bias`, or if an acceptance is below min(1, q/p) by more than ``ACCEPT_TOLERANCE`` of it.

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
    draft_rows, target_rows, accepted = _accepted(draft, target, accept)
    # Products below the smallest normal number have lost their digits.
    missing = (1.0 - ACCEPT_TOLERANCE) * np.minimum(draft_rows, target_rows) - accepted > np.finfo(np.float64).tiny
    if missing.any():
        where, index = first_entry(missing, "accept")
        value = np.broadcast_to(as_numbers(accept, "accept"), missing.shape)[index]
        least = np.broadcast_to(relaxed_acceptance(draft_rows, target_rows, 0.0), missing.shape)[index]
        raise InvalidInput(
            f"{where} is {value} and min(1, q/p) is {least} there: on the line are over-acceptances alone, "
            "so raise it, or ask minimal_bias, which takes any"
        )
    rejection = _probability(np.maximum(draft_rows - accepted, 0.0).sum(axis=-1))
    return ParetoPoint(rejection, _probability(np.maximum(accepted - target_rows, 0.0).sum(axis=-1)))


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
    _, target_rows, accepted = _accepted(draft, target, accept)
    return normalise_or_zero(np.maximum(target_rows - accepted, 0.0))


def relaxed_law(draft: ArrayLike, target: ArrayLike, accept: ArrayLike, resampling: ArrayLike) -> RelaxedLaw:
    """Compute the law of the rule (b, P): A = b p + R P, its rejection R and its bias TV(A, q).

    Parameters
    ----------
    draft, target, accept, resampling : array_like, shape (..., V)
        Rows of ``resampling`` are laws, or zeros where nothing is rejected.

    Raises
    ------
    InvalidInput
        As :func:`minimal_bias`, or if a row of ``resampling`` is not a law, or zeros although R exceeds ``NOTHING``.

    Examples
    --------
    >>> from specproof import relaxed_law
    >>> law = relaxed_law([0.5, 0.5], [0.25, 0.75], accept=[0.5, 1.0], resampling=[0.0, 1.0])
    >>> law.output.tolist(), float(law.bias)
    ([0.25, 0.75], 0.0)
    """
    draft_rows, target_rows, accepted = _accepted(draft, target, accept)
    rejection = _probability(np.maximum(draft_rows - accepted, 0.0).sum(axis=-1))
    output = accepted + rejection[..., np.newaxis] * _resampling(resampling, rejection, draft_rows.shape)
    return RelaxedLaw(output, rejection, _probability(0.5 * np.abs(output - target_rows).sum(axis=-1)))


def decoding_opt(draft: ArrayLike, target: ArrayLike, epsilon: ArrayLike) -> RelaxedLaw:
    """Over-accept with b_epsilon and resample from P*: on the line R + bias = TV(p, q).

    ([1]_, Decoding-OPT.)

    Raises
    ------
    InvalidInput
        As :func:`relaxed_acceptance`.

    References
    ----------
    .. [1] M. Yin et al. A Theoretical Perspective for Speculative Decoding Algorithm. NeurIPS 2024,
       arXiv:2411.00841.

    Examples
    --------
    >>> from specproof import decoding_opt, total_variation
    >>> law = decoding_opt([0.5, 0.5], [0.25, 0.75], 0.125)
    >>> float(law.rejection + law.bias), float(total_variation([0.5, 0.5], [0.25, 0.75]))
    (0.25, 0.25)
    """
    accept = relaxed_acceptance(draft, target, epsilon)
    return relaxed_law(draft, target, accept, optimal_resampling(draft, target, accept))


def decoding_uno(draft: ArrayLike, target: ArrayLike, epsilon: ArrayLike) -> RelaxedLaw:
    """Over-accept with b_epsilon and resample from the target itself: never below the line.

    ([1]_, Decoding-UNO.)

    Raises
    ------
    InvalidInput
        As :func:`relaxed_acceptance`.

    References
    ----------
    .. [1] M. Yin et al. A Theoretical Perspective for Speculative Decoding Algorithm. NeurIPS 2024,
       arXiv:2411.00841.

    Examples
    --------
    >>> from specproof import decoding_uno
    >>> law = decoding_uno([0.5, 0.5], [0.25, 0.75], 0.125)
    >>> float(law.rejection), float(law.bias)
    (0.125, 0.15625)
    """
    accept = relaxed_acceptance(draft, target, epsilon)
    return relaxed_law(draft, target, accept, as_pair(draft, target)[1])


def _accepted(draft: ArrayLike, target: ArrayLike, accept: ArrayLike) -> tuple[Array, Array, Array]:
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


def _resampling(resampling: ArrayLike, rejection: Array, shape: tuple[int, ...]) -> Array:
    """Check resampling laws, and that where there is none nothing is rejected."""
    rows = as_numbers(resampling, "resampling")
    if rows.shape[-1:] != shape[-1:]:
        raise InvalidInput(f"resampling has shape {rows.shape} and draft {shape}: give one probability for each token")
    empty = np.asarray(~np.any(rows, axis=-1))
    some = np.where(empty[..., np.newaxis], 1.0 / shape[-1], rows)
    laws = np.where(empty[..., np.newaxis], 0.0, as_distribution(some, "resampling"))
    try:
        missing = np.asarray(empty & (rejection > NOTHING))
    except ValueError:
        raise InvalidInput(
            f"resampling has shape {rows.shape} and draft {shape}: its leading axes must broadcast"
        ) from None
    if missing.any():
        where, index = first_entry(missing, "the rejection")
        value = np.broadcast_to(rejection, missing.shape)[index]
        raise InvalidInput(f"{where} is {value} and the row of resampling there zeros: give a law to resample from")
    return laws


def _probability(sums: Array) -> Array:
    """Clip to 1 what rounding may take past it by a few units in the last place."""
    clipped: Array = np.minimum(sums, 1.0)
    return clipped
