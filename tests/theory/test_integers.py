"""Whole numbers: what passes, and what is named."""

from __future__ import annotations

import numpy as np
import pytest

from theory.errors import InvalidInput
from theory.integers import positive_integer


@pytest.mark.parametrize("value", [1, 7, np.int32(3), np.uint8(2), 10**30])
def test_integers_pass_as_int(value: object) -> None:
    found = positive_integer(value, "runs")
    assert type(found) is int
    assert found == value


@pytest.mark.parametrize("value", [0, -1, 1.0, 1.5, True, np.True_, "2", None, np.ones(1, int), float("nan")], ids=repr)
def test_anything_else_is_named(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"runs is .*: it must be an integer >= 1"):
        positive_integer(value, "runs")
