from __future__ import annotations

from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from specproof.theory.verifiers.priority.powers import power_quotient

_UNIT = st.floats(2**-20, 1.0)


@given(high=_UNIT, low=_UNIT, exponent=st.integers(0, 64))
@example(high=0.5, low=0.5, exponent=64)
@example(high=1.0, low=0.0, exponent=1)
def test_every_digit_however_close_the_two_are(high: float, low: float, exponent: int) -> None:
    a, b = Fraction(high), Fraction(low)
    exact = sum((a ** (exponent - 1 - j) * b**j for j in range(exponent)), Fraction(0))
    found = Fraction(power_quotient(high, low, exponent))
    assert abs(found - exact) <= exact * (exponent + 1) * Fraction(2) ** -52 + Fraction(2) ** -1000
