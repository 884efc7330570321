"""One row among the others: it is checked and divided in other calls, and comes out the same to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.theory.distribution import as_distribution, dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.normalised_row import normalised_row


@pytest.mark.parametrize("tokens", [1, 2, 7, 8, 129, 1000, 5000])
def test_a_row_is_that_of_a_stack(tokens: int) -> None:
    row = dirichlet(tokens, 0.3, np.random.default_rng(tokens)) * (1 + 3e-7)
    row[0] += 0.0 if row[0] else -0.0
    found = normalised_row(row, 1e-6)
    assert found is not None
    assert np.array_equal(found, as_distribution(np.stack([row, row]))[1])
    assert np.array_equal(as_distribution(row), found)


def test_there_is_no_negative_zero() -> None:
    found = normalised_row(np.array([1.0, -0.0]), 1e-6)
    assert found is not None
    assert not np.signbit(found).any()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.5, np.nan], r"draft\[1\] = nan is not finite"),
        ([np.inf, 0.5], r"draft\[0\] = inf is not finite"),
        ([1e308, 1e308], r"draft sums to inf"),
        ([1.5, -0.5], r"draft\[1\] = -0\.5 is negative"),
        ([0.5, 0.500003], r"draft sums to 1\.000003, not 1 \(tolerance 1e-06\)"),
        ([0.25, 0.25], r"draft sums to 0\.5"),
        ([0.0, 0.0], r"draft sums to 0, not 1"),
    ],
)
def test_what_is_no_distribution_is_left_to_who_says_why(row: list[float], message: str) -> None:
    assert normalised_row(np.array(row), 1e-6) is None
    with pytest.raises(InvalidInput, match=message):
        as_distribution(row, "draft")


def test_other_layouts_are_left_to_numpy() -> None:
    rows = np.full((2, 4), 0.25)
    fixed = rows[0].copy()
    fixed.flags.writeable = False
    for law in (rows, rows[:, 0], fixed):
        assert normalised_row(law, 1.0) is None
    assert as_distribution(fixed).tolist() == [0.25] * 4
