"""A row of float64 weights as what it is: rational numbers, without rounding."""

from __future__ import annotations

from fractions import Fraction

from numpy.typing import ArrayLike

from specproof.theory.distribution import Array, as_single_pair
from specproof.theory.errors import InvalidInput

MOST_BITS = 2**28
"""Exact proofs raise probabilities to the power k; their numerators may have this many bits (32 MiB)."""


def as_integers(row: Array) -> tuple[int, ...]:
    """The row in units of the smallest power of two that divides every entry."""
    ratios = [float(value).as_integer_ratio() for value in row]
    unit = max(denominator for _, denominator in ratios)
    return tuple(numerator * (unit // denominator) for numerator, denominator in ratios)


def as_fractions(row: Array) -> tuple[Fraction, ...]:
    """The row divided by its exact sum, which must not be 0."""
    weights = as_integers(row)
    total = sum(weights)
    return tuple(Fraction(weight, total) for weight in weights)


def as_fraction_pair(
    draft: ArrayLike, target: ArrayLike, caller: str
) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """Check one pair of shape (V,) and return each law divided by its exact sum.

    Raises
    ------
    InvalidInput
        As :func:`specproof.theory.distribution.as_single_pair`.

    Examples
    --------
    >>> as_fraction_pair([0.5, 0.5], [0.25, 0.75], "example")[1]
    (Fraction(1, 4), Fraction(3, 4))
    """
    proposal, law = as_single_pair(draft, target, caller)
    return as_fractions(proposal), as_fractions(law)


def refuse_large_power(num_drafts: int, *weights: tuple[int, ...]) -> None:
    """Refuse a number of drafts k if sums of these integers to the power k would pass ``MOST_BITS`` bits.

    Raises
    ------
    InvalidInput
        Naming ``num_drafts``, its value and the number of bits.
    """
    bits = num_drafts * max(sum(row).bit_length() for row in weights)
    if bits > MOST_BITS:
        raise InvalidInput(
            f"num_drafts is {num_drafts}: exact powers of these probabilities have {bits} bits, and the limit is "
            f"{MOST_BITS}, so take fewer drafts"
        )
