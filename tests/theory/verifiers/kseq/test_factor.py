"""rho* for all numbers of drafts at once, and where its search is hard."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.simulations.claims.priority.hard_pairs import llm_shaped_pair
from specproof.theory.distribution import Array, as_pair
from specproof.theory.verifiers.kseq.factor import division_factor, factors_up_to

CLOSE = 1e-13


@given(pair=rough_pairs(), num_drafts=st.integers(1, 9))
@with_degenerate(num_drafts=5)
def test_factors_up_to_are_the_division_factors_and_what_one_draft_misses_there(pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    factors, missed = factors_up_to(draft[np.newaxis], target[np.newaxis], num_drafts)
    for column in range(num_drafts):
        assert factors[0, column] == pytest.approx(float(division_factor(draft, target, column + 1)), rel=CLOSE)
        lost = np.maximum(draft - target / factors[0, column], 0.0).sum()
        assert missed[0, column] == pytest.approx(float(lost), abs=CLOSE)


def test_factors_of_a_large_vocabulary_row_by_row() -> None:
    draft, target = (np.stack(laws) for laws in zip(*(_llm_shaped(seed) for seed in range(2)), strict=True))
    factors, _ = factors_up_to(draft, target, 8)
    assert (np.diff(factors, axis=1) > 0.0).all()
    for row in range(2):
        for column in range(8):
            assert factors[row, column] == pytest.approx(_bisected(draft[row], target[row], column + 1), rel=CLOSE)


@pytest.mark.parametrize("num_drafts", [3, 8, 15])
def test_where_almost_all_is_accepted_a_first_short_step_is_not_the_last(num_drafts: int) -> None:
    """At rho = 1 the function is 0 but for 1e-17, with a slope of 1 that lasts for 1e-17 only."""
    draft, target = np.array([1.0, 1e-17]), np.array([1.0, 3e-17])
    rho = float(factors_up_to(draft[np.newaxis], target[np.newaxis], num_drafts)[0][0, -1])
    assert rho > 1.0 + 1e-7
    assert _excess(draft, target, num_drafts, rho * (1 - 1e-9)) > 0 > _excess(draft, target, num_drafts, rho + 1e-9)


@pytest.mark.parametrize("num_drafts", [8, 20])
def test_nor_where_it_ends_beside_where_it_began(num_drafts: int) -> None:
    """Two rare tokens of q/p = 1.001 and 0.999: steps from rho = 1 are of 1e-15, and the root is past 1.0009."""
    draft, target = np.array([1.0, 1e-20, 1e-20]), np.array([1.0, 1.001e-20, 0.999e-20])
    rho = float(factors_up_to(draft[np.newaxis], target[np.newaxis], num_drafts)[0][0, -1])
    assert rho > 1.0009
    assert _excess(draft, target, num_drafts, rho * (1 - 1e-9)) > 0 > _excess(draft, target, num_drafts, rho + 1e-9)


def _llm_shaped(seed: int) -> Pair:
    return as_pair(*llm_shaped_pair(np.random.default_rng(seed), 3000))


def _bisected(draft: Array, target: Array, num_drafts: int) -> float:
    low, high = 1.0, float(num_drafts)
    for _ in range(60):
        middle = 0.5 * (low + high)
        beta = np.minimum(draft, target / middle).sum()
        low, high = (middle, high) if 1 - (1 - beta) ** num_drafts > middle * beta else (low, middle)
    return high


def _excess(draft: Array, target: Array, num_drafts: int, rho: float) -> Fraction:
    """1 - (1 - beta)^k - rho beta of the laws that the floats make when divided by their sums, in fractions."""
    factor = Fraction(rho)
    laws = [[Fraction(float(mass)) for mass in law] for law in (draft, target)]
    rows = zip(*([mass / sum(law) for mass in law] for law in laws), strict=True)
    beta = sum(min(p, q / factor) for p, q in rows)
    return 1 - (1 - beta) ** num_drafts - factor * beta
