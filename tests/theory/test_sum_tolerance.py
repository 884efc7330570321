"""Rows as softmaxes of every precision give them are distributions; rows that are farther from 1 are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from specproof.theory.distribution import Array, as_distribution
from specproof.theory.errors import InvalidInput
from specproof.theory.sum_tolerance import LARGEST_TOLERANCE, SUM_TOLERANCE, sum_tolerance
from specproof.theory.tradeoff import pareto_point

VOCABULARY = 152_064


def summed_in_turn(logits: Array) -> NDArray[np.float32]:
    """A softmax in float32 whose weights are added one after the other, the worst order of any."""
    weights = np.exp(logits - logits.max()).astype(np.float32)
    rows: NDArray[np.float32] = weights / np.cumsum(weights, dtype=np.float32)[-1]
    return rows


def flat_and_steep(seed: int) -> list[Array]:
    rng = np.random.default_rng(seed)
    almost_flat = np.where(np.arange(VOCABULARY) == 0, 0.3, 0.0)
    return [almost_flat, *(rng.normal(size=VOCABULARY) * width for width in (0.01, 1.0, 6.0))]


def test_softmaxes_in_float32_are_distributions_however_they_are_summed() -> None:
    deviations = []
    for logits in flat_and_steep(1):
        exact = np.exp(logits - logits.max())
        row = summed_in_turn(logits)
        assert np.abs(as_distribution(row) - exact / exact.sum()).max() <= 1e-6
        deviations.append(abs(float(row.sum(dtype=np.float64)) - 1))
    assert max(deviations) > 100 * SUM_TOLERANCE, "a fixed tolerance would refuse some"
    assert max(deviations) < sum_tolerance(row, VOCABULARY)


def test_of_few_tokens_no_kind_of_number_has_less_than_float64() -> None:
    assert sum_tolerance(np.array([0.5, 0.5], dtype=np.float32), 2) == SUM_TOLERANCE


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_softmaxes_of_torch_are_distributions(dtype: torch.dtype) -> None:
    for logits in flat_and_steep(2):
        row = torch.softmax(torch.tensor(logits).to(dtype), dim=-1)
        assert row.dtype == dtype
        found = as_distribution(row)
        assert abs(found.sum() - 1) <= 1e-12
        assert np.abs(found - (row.double() / row.double().sum()).numpy()).max() <= 1e-15


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.float16, np.dtype(np.float32), np.dtype(np.float16)], ids=str
)
def test_rows_that_rounding_does_not_explain_are_refused(dtype: Any) -> None:
    halves = [0.5, 0.5, *[0.0] * (VOCABULARY - 2)]
    for excess in (0.0, 0.02, -0.02):
        row: Any = [0.5 + excess, *halves[1:]]
        given = torch.tensor(row, dtype=dtype) if isinstance(dtype, torch.dtype) else np.array(row, dtype)
        if not excess:
            assert as_distribution(given).tolist() == halves
            continue
        with pytest.raises(InvalidInput, match=r"sums to .*, not 1 \(tolerance 0\.0[01]"):
            as_distribution(given)


def test_few_tokens_leave_little_to_rounding() -> None:
    with pytest.raises(InvalidInput, match=r"sums to 1\.00001"):
        as_distribution(np.array([0.5, 0.50001], np.float32))
    with pytest.raises(InvalidInput, match=r"sums to 1\.015"):
        as_distribution(torch.tensor([0.5, 0.515625], dtype=torch.bfloat16))


def test_float64_and_lists_are_held_to_the_strict_tolerance() -> None:
    row = summed_in_turn(flat_and_steep(1)[0])
    for wider in (row.astype(np.float64), row.tolist()):
        assert sum_tolerance(wider, VOCABULARY) == SUM_TOLERANCE
        with pytest.raises(InvalidInput, match=r"not 1 \(tolerance 1e-06\)"):
            as_distribution(wider)


def test_nothing_excuses_a_row_of_zeros() -> None:
    assert sum_tolerance(np.zeros(1, np.float32), 10**9) == LARGEST_TOLERANCE


def test_an_acceptance_of_rows_that_are_off_by_rounding_is_on_the_line() -> None:
    """q/p of the rows as they are is 0.1% off that of the normalised ones."""
    draft, target = (summed_in_turn(logits) for logits in flat_and_steep(3)[:2])
    pareto_point(draft, target, np.minimum(1.0, target / draft))
    with pytest.raises(InvalidInput, match="over-acceptances alone"):
        pareto_point(draft, target, 0.95 * np.minimum(1.0, target / draft))
