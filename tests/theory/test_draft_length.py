from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.theory.draft_length import LONGEST_DRAFT, expected_tokens, optimal_length, speedup


@given(st.fractions(0, 1, max_denominator=64), st.integers(0, 12))
def test_expected_tokens_counts_the_run_of_acceptances(acceptance: Fraction, length: int) -> None:
    """P(exactly n accepted, n < length) = a^n (1 - a), and one token more than was accepted is emitted."""
    runs = [(n + 1) * acceptance**n * (1 - acceptance) for n in range(length)]
    exact = sum(runs, Fraction(0)) + (length + 1) * acceptance**length
    assert expected_tokens(float(acceptance), length) == pytest.approx(float(exact), rel=1e-14)


def test_expected_tokens_at_the_ends() -> None:
    assert expected_tokens(1.0, 5) == 6.0
    assert expected_tokens(0.0, 5) == 1.0
    assert expected_tokens(0.7, 0) == 1.0


def test_speedup_is_tokens_over_cost() -> None:
    assert speedup(0.5, 2, 0.25) == 1.75 / 1.5
    assert speedup(0.9, 0, 3.0) == 1.0


@given(st.floats(0.0, 0.95), st.floats(0.01, 2.0))
def test_optimal_length_against_trying_them_all(acceptance: float, cost: float) -> None:
    gains = [speedup(acceptance, length, cost) for length in range(200)]
    assert gains[optimal_length(acceptance, cost)] == pytest.approx(max(gains), rel=1e-14)


@pytest.mark.parametrize(("acceptance", "cost", "length"), [(0.0, 0.1, 0), (0.5, 0.5, 0), (1.0, 1.0, 0), (0.5, 0.1, 2)])
def test_optimal_length_by_hand(acceptance: float, cost: float, length: int) -> None:
    assert optimal_length(acceptance, cost) == length


def test_the_longest_draft_is_refused_rather_than_returned() -> None:
    with pytest.raises(ValueError, match=str(LONGEST_DRAFT)):
        optimal_length(0.99999, 1e-9)
