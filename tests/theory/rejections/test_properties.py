"""What holds of rejections on every pair of models: Markov chains and tables, with zeros, ties and tiny entries."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import MARKOV, rough_chains
from specproof.theory.chain import Chain, MarkovChain, TabularModel
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration
from specproof.theory.rejections import (
    batch_limit,
    expected_rejections,
    expected_rejections_batch,
    rejection_law,
    rejection_rates,
)

ROUNDING = 1e-12
"""Sums of at most 3^4 products of numbers up to 1 in float64, and some room."""

Pair = tuple[Chain, Chain]


def tables(pair: Pair) -> tuple[TabularModel, TabularModel]:
    draft, target = (model.tabulate() if isinstance(model, MarkovChain) else model for model in pair)
    return draft, target


@given(pair=rough_chains())
def test_theorem_1_is_what_the_algorithm_does(pair: Pair) -> None:
    law = runs_by_enumeration(*tables(pair)).rejections
    rates = rejection_rates(*pair)
    assert rates.shape == (pair[1].horizon,)
    assert np.all((rates >= 0) & (rates <= 1 + ROUNDING))
    assert expected_rejections(*pair) == rates.sum()
    assert abs(rates.sum() - law @ np.arange(law.size)) <= ROUNDING


@given(pair=rough_chains(), num_drafts=st.integers(1, 5))
def test_theorem_3_is_what_the_algorithm_does(pair: Pair, num_drafts: int) -> None:
    law = runs_by_enumeration(*tables(pair), num_drafts).rejections
    assert abs(expected_rejections_batch(*pair, num_drafts) - law @ np.arange(law.size)) <= ROUNDING


@given(pair=rough_chains(), num_drafts=st.integers(1, 5))
def test_the_algorithm_emits_the_target_and_counts_add_up_to_one(pair: Pair, num_drafts: int) -> None:
    run = runs_by_enumeration(*tables(pair), num_drafts)
    assert np.abs(run.output - tables(pair)[1].joint()).max() <= ROUNDING
    assert abs(run.rejections.sum() - 1) <= ROUNDING
    assert run.rejections.min() >= 0


@given(pair=rough_chains())
def test_one_draft_is_theorem_1(pair: Pair) -> None:
    assert abs(expected_rejections_batch(*pair, 1) - expected_rejections(*pair)) <= ROUNDING


@given(pair=rough_chains())
def test_rejections_fall_with_drafts_and_stay_above_the_limit(pair: Pair) -> None:
    path = [expected_rejections_batch(*pair, count) for count in (1, 2, 3, 5, 9, 33)]
    path.append(batch_limit(*pair))
    assert np.diff(path).max() <= ROUNDING
    assert path[-1] >= 0


@given(pair=rough_chains())
def test_the_limit_is_0_exactly_where_position_1_is_covered_and_the_rest_is_equal(pair: Pair) -> None:
    """It lies between half and all of s = q_1(p_1 = 0) + sum_{n >= 2} E_q TV(p_n, q_n).

    With r_n the rate of rejections in the limit, r_1 = q_1(p_1 = 0) and r_n <= E_q TV, as q(p = 0) <= TV. And E_q TV is
    at most r_n where the last position was accepted, and r_{n-1}, the chance that it was not, elsewhere.
    """
    draft, target = tables(pair)
    missed = target.conditionals[0][draft.conditionals[0] == 0].sum()
    later = rejection_rates(*pair)[1:].sum()
    limit = batch_limit(*pair)
    assert limit <= missed + later + ROUNDING
    assert missed + later <= 2 * limit + ROUNDING


@given(pair=rough_chains(), num_drafts=st.integers(1, 4))
def test_a_chain_is_its_table(pair: Pair, num_drafts: int) -> None:
    tabulated = tables(pair)
    assert np.abs(rejection_rates(*tabulated) - rejection_rates(*pair)).max() <= ROUNDING
    assert (
        abs(expected_rejections_batch(*tabulated, num_drafts) - expected_rejections_batch(*pair, num_drafts))
        <= ROUNDING
    )
    assert abs(batch_limit(*tabulated) - batch_limit(*pair)) <= ROUNDING


@given(pair=rough_chains(kinds=MARKOV))
def test_the_law_of_the_number_is_that_of_the_algorithm_and_has_its_mean(pair: Pair) -> None:
    draft, target = pair
    assert isinstance(draft, MarkovChain)
    assert isinstance(target, MarkovChain)
    law = rejection_law(draft, target)
    assert law.shape == (target.horizon + 1,)
    assert law.min() >= 0
    assert abs(law.sum() - 1) <= ROUNDING
    assert abs(law @ np.arange(law.size) - expected_rejections(draft, target)) <= ROUNDING
    assert np.abs(law - runs_by_enumeration(*tables(pair)).rejections).max() <= ROUNDING
