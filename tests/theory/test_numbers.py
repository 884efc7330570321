"""Single numbers: what passes, and what is named."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from specproof.theory.errors import InvalidInput
from specproof.theory.numbers import finite_number, positive_number, probability

CHECKS: list[Callable[[object, str], float]] = [finite_number, positive_number, probability]


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.5), np.int8(1), np.array(0.5), Fraction(1, 2)])
@pytest.mark.parametrize("check", CHECKS)
def test_real_numbers_pass_as_float(check: Callable[[object, str], float], value: float) -> None:
    found = check(value, "cost")
    assert type(found) is float
    assert found == value


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), -float("inf"), 10**400, "1", None, True, np.True_, 1j, [0.5], np.ones(1), object],
    ids=repr,
)
@pytest.mark.parametrize("check", CHECKS)
def test_anything_else_is_named(check: Callable[[object, str], float], value: object) -> None:
    with pytest.raises(InvalidInput, match=r"cost is .*: it must be one "):
        check(value, "cost")


def test_ranges() -> None:
    assert (finite_number(-2.5, "x"), positive_number(5e-324, "x"), probability(-0.0, "x")) == (-2.5, 5e-324, 0.0)
    for check, value in ((positive_number, 0.0), (positive_number, -1), (probability, 1.5), (probability, -1e-9)):
        with pytest.raises(InvalidInput, match=f"x is {value}"):
            check(value, "x")
