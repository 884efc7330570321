"""The win rate of two laws against the sum over all pairs of tokens."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.theory.distribution import Array, dirichlet
from specproof.theory.win_rate import win_rate

ROUNDING = 1e-14


def by_pairs(first: Array, second: Array, scores: Array) -> float:
    return sum(
        a * b * (1.0 if s > t else 0.5 if s == t else 0.0)
        for a, s in zip(first, scores, strict=True)
        for b, t in zip(second, scores, strict=True)
    )


@pytest.mark.parametrize("values", [2, 3, 1000], ids="{} values".format)
def test_it_is_the_sum_over_all_pairs_with_ties_and_infinite_scores(values: int) -> None:
    rng = np.random.default_rng(5)
    first, second = dirichlet(7, 0.4, rng, 60), dirichlet(7, 0.4, rng, 60)
    scores = rng.integers(values, size=(60, 7)).astype(float)
    scores[::3, 2:4], scores[::4, 0] = np.inf, -np.inf
    expected = [by_pairs(*rows) for rows in zip(first, second, scores, strict=True)]
    np.testing.assert_allclose(win_rate(first, second, scores), expected, rtol=0, atol=ROUNDING)


def test_one_law_is_even_with_itself_and_the_rates_of_two_add_up() -> None:
    rng = np.random.default_rng(6)
    first, second, scores = dirichlet(9, 1.0, rng, 20), dirichlet(9, 1.0, rng, 20), rng.random((20, 9))
    np.testing.assert_allclose(win_rate(first, first, scores), 0.5, rtol=0, atol=ROUNDING)
    both = win_rate(first, second, scores) + win_rate(second, first, scores)
    np.testing.assert_allclose(both, 1.0, rtol=0, atol=ROUNDING)


def test_a_single_token_ties() -> None:
    assert win_rate(np.array([1.0]), np.array([1.0]), np.array([3.0])) == 0.5
