"""A row of float64 weights as what it is: rational numbers, without rounding."""

from __future__ import annotations

from fractions import Fraction

from specproof.theory.distribution import Array


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
