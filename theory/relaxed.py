"""Rules that lose exactness for speed (Yin et al. 2024, section 4): the law that an over-acceptance emits.

A rule (b, P) keeps the drafted token with probability b and emits a token from the resampling law P if it does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.arrays import as_numbers
from specproof.theory.display import html_record, one_line
from specproof.theory.distribution import Array, as_distribution, as_pair, normalise_or_zero
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.tradeoff import accepted_mass, clipped, over_acceptance

NOTHING = 1e-12
"""A rejection probability that rounding alone may leave: a row of zeros will do for what is then resampled."""


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
    _repr_html_ = html_record


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
    draft_rows, target_rows, accepted = accepted_mass(draft, target, accept)
    rejection = _rejection(draft_rows, accepted)
    return _law(target_rows, accepted, rejection, _resampling(resampling, rejection, draft_rows.shape))


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
    draft_rows, target_rows = as_pair(draft, target)
    accepted = over_acceptance(draft_rows, target_rows, epsilon) * draft_rows
    resampling = normalise_or_zero(np.maximum(target_rows - accepted, 0.0))
    return _law(target_rows, accepted, _rejection(draft_rows, accepted), resampling)


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
    draft_rows, target_rows = as_pair(draft, target)
    accepted = over_acceptance(draft_rows, target_rows, epsilon) * draft_rows
    return _law(target_rows, accepted, _rejection(draft_rows, accepted), target_rows)


def _rejection(draft: Array, accepted: Array) -> Array:
    return clipped(np.maximum(draft - accepted, 0.0).sum(axis=-1))


def _law(target: Array, accepted: Array, rejection: Array, resampling: Array) -> RelaxedLaw:
    """Put a rule together from bp, R and P, which are checked."""
    output = accepted + rejection[..., np.newaxis] * resampling
    return RelaxedLaw(output, rejection, clipped(0.5 * np.abs(output - target).sum(axis=-1)))


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
