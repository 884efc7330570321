from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import (
    as_distribution,
    as_pair,
    bernoulli,
    dirichlet,
    residual,
    softmax,
    total_variation,
    uniform,
    zipf,
)
from specproof.theory.errors import InvalidInput
from specproof.theory.sum_tolerance import SUM_TOLERANCE


@pytest.mark.parametrize(
    "values",
    [[1, 0], np.array([1, 0], np.int32), np.array([1.0, 0.0], np.float16), torch.tensor([1.0, 0.0]), (1.0, 0.0)],
)
def test_any_real_dtype_becomes_float64(values: Any) -> None:
    law = as_distribution(values)
    assert law.dtype == np.float64
    assert law.tolist() == [1.0, 0.0]


def test_rows_within_the_tolerance_are_normalised_and_rows_beyond_it_refused() -> None:
    near = np.array([0.5, 0.5 + 0.9 * SUM_TOLERANCE])
    assert abs(as_distribution(near).sum() - 1) < 1e-15
    with pytest.raises(InvalidInput, match="tolerance 1e-06"):
        as_distribution([0.5, 0.5 + 1.1 * SUM_TOLERANCE])


def test_truth_values_are_no_probabilities() -> None:
    with pytest.raises(InvalidInput, match=r"^distribution is not an array of real numbers \(dtype bool"):
        as_distribution([True, False])


def test_the_argument_is_left_alone() -> None:
    given_row = np.array([0.25, 0.75 + 1e-7])
    before = given_row.copy()
    as_distribution(given_row)
    assert np.array_equal(given_row, before)


@pytest.mark.parametrize("values", [[-0.0, 1.0], [[-0.0, 1.0], [0.5, 0.5]]])
def test_minus_zero_becomes_zero(values: Any) -> None:
    assert not np.signbit(as_distribution(values)).any()


@given(pair=rough_pairs())
@with_degenerate()
def test_normalising_twice_changes_nothing_beyond_rounding(pair: Pair) -> None:
    once = as_distribution(pair[0])
    assert np.abs(as_distribution(once) - once).max() <= 2.3e-16


def test_leading_axes_broadcast() -> None:
    draft, target = as_pair(np.full((3, 1, 2), 0.5), np.full((4, 2), 0.5))
    assert total_variation(draft, target).shape == (3, 4)


@given(pair=rough_pairs())
@with_degenerate()
def test_total_variation_is_the_positive_part_in_fractions(pair: Pair) -> None:
    draft, target = as_pair(*pair)
    exact = sum((max(Fraction(p) - Fraction(q), Fraction(0)) for p, q in zip(draft, target, strict=True)), Fraction(0))
    assert abs(float(total_variation(*pair)) - exact) <= 1e-15
    assert 0 <= total_variation(*pair) <= 1
    assert total_variation(*pair) == total_variation(*pair[::-1])


def test_no_rounding_takes_a_total_variation_past_one() -> None:
    draft = np.append(np.arange(1.0, 6.0) / 15, np.zeros(5))
    target = np.append(np.zeros(5), np.arange(5.0, 10.0) / 35)
    assert 0.5 * np.abs(np.subtract(*as_pair(draft, target))).sum() > 1.0
    assert total_variation(draft, target) == 1.0


@given(pair=rough_pairs())
@with_degenerate()
def test_residual_is_the_normalised_excess_of_the_target(pair: Pair) -> None:
    draft, target = as_pair(*pair)
    law = residual(*pair)
    assert np.all(law >= 0)
    assert np.all(law[target <= draft] == 0)
    if np.any(target > draft):
        assert abs(law.sum() - 1) <= 1e-15
        excess = np.maximum(target - draft, 0)
        assert np.abs(law * excess.sum() - excess).max() <= 1e-15
    else:
        assert not law.any()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_softmax_by_definition(temperature: float) -> None:
    logits = np.array([0.3, -1.2, 2.0])
    weights = np.exp(logits / temperature)
    assert np.abs(softmax(logits, temperature) - weights / weights.sum()).max() <= 1e-15


@pytest.mark.parametrize(
    ("logits", "temperature", "expected"),
    [
        ([5.0], 1.0, [1.0]),
        ([-np.inf, 0.0], 1.0, [0.0, 1.0]),
        ([1e5, 1e5], 1.0, [0.5, 0.5]),
        ([0.0, 1.0], 1e-310, [0.0, 1.0]),
        ([-1.7e308, 1.7e308], 1.0, [0.0, 1.0]),
        ([0.0, 1e300], 1e300, [1 / (1 + np.e), np.e / (1 + np.e)]),
    ],
)
def test_softmax_at_the_ends_of_float64(logits: list[float], temperature: float, expected: list[float]) -> None:
    assert np.abs(softmax(logits, temperature) - expected).max() <= 1e-15


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.floats(-100, 100))
def test_softmax_does_not_see_a_common_shift(logits: list[float], shift: float) -> None:
    # Adding the shift rounds each logit by up to 1e-14.
    assert np.abs(softmax(np.array(logits) + shift) - softmax(logits)).max() <= 1e-13


@pytest.mark.parametrize("success", [0.0, 0.3, 1.0])
def test_bernoulli(success: float) -> None:
    assert bernoulli(success).tolist() == [1 - success, success]


def test_uniform() -> None:
    assert uniform(4).tolist() == [0.25] * 4
    assert uniform(4, 2).tolist() == [0.5, 0.5, 0.0, 0.0]
    assert uniform(1).tolist() == [1.0]


def test_zipf() -> None:
    assert zipf(4, 1.0) == pytest.approx(np.array([12, 6, 4, 3]) / 25, abs=1e-15)
    assert zipf(5, 0.0).tolist() == uniform(5).tolist()
    assert zipf(3, -1.0) == pytest.approx(np.array([1, 2, 3]) / 6, abs=1e-15)


@pytest.mark.parametrize(("exponent", "likeliest"), [(1e308, 0), (-1e308, 9), (-1000.0, 9)])
def test_zipf_with_an_extreme_exponent_is_still_a_law(exponent: float, likeliest: int) -> None:
    law = zipf(10, exponent)
    assert law.sum() == pytest.approx(1.0, abs=1e-15)
    assert law[likeliest] == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("concentration", [1e-300, 0.001, 0.5, 1.0, 100.0, 1e300])
def test_dirichlet_rows_are_laws_at_any_concentration(concentration: float) -> None:
    rows = dirichlet(7, concentration, np.random.default_rng(3), (2, 50))
    assert rows.shape == (2, 50, 7)
    assert np.all(rows >= 0)
    assert np.abs(rows.sum(axis=-1) - 1).max() <= 1e-15


def test_dirichlet_depends_on_its_generator_alone() -> None:
    first, second = (dirichlet(5, 0.3, np.random.default_rng(7), 4) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("concentration", [0.1, 1.0, 4.0])
def test_dirichlet_marginal_is_a_beta_law(concentration: float) -> None:
    """Counts below the quartiles of Beta(a, (V-1)a); level 1e-8 each, sees a shift of 0.025 in any with 0.99."""
    from scipy.stats import beta

    from specproof.simulations.statistics import check_frequency

    entries = dirichlet(4, concentration, np.random.default_rng(11), 40_000)[:, 0]
    for quantile in (0.25, 0.5, 0.75):
        below = int(np.count_nonzero(entries < beta.ppf(quantile, concentration, 3 * concentration)))
        check = check_frequency(below, entries.size, quantile, 1e-8)
        assert check.detectable <= 0.025
        assert not check.is_refuted
