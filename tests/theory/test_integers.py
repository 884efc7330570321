"""Whole numbers: what passes, and what is named."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.theory.errors import InvalidInput
from specproof.theory.integers import natural_number, positive_integer


@pytest.mark.parametrize("value", [1, 7, np.int32(3), np.uint8(2), 10**30])
def test_integers_pass_as_int(value: int) -> None:
    for found in (positive_integer(value, "runs"), natural_number(value, "runs")):
        assert type(found) is int
        assert found == value


@pytest.mark.parametrize("value", [-1, 1.0, 1.5, True, np.True_, "2", None, np.ones(1, int), float("nan")], ids=repr)
def test_anything_else_is_named(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"runs is .*: it must be an integer >= 1"):
        positive_integer(value, "runs")
    with pytest.raises(InvalidInput, match=r"runs is .*: it must be an integer >= 0"):
        natural_number(value, "runs")


def test_zero_is_natural_and_not_positive() -> None:
    assert natural_number(0, "length") == 0
    with pytest.raises(InvalidInput, match="runs is 0"):
        positive_integer(0, "runs")
