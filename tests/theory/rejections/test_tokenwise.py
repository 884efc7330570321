"""Theorem 1 and the law of the number of rejections, against the algorithm enumerated branch by branch."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.theory.chain import MarkovChain, random_markov_pair, random_tabular_pair
from specproof.theory.distribution import bernoulli, total_variation
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration
from specproof.theory.rejections import expected_rejections, rejection_law, rejection_rates

ROUNDING = 1e-12
"""Sums of at most 4^5 products of numbers up to 1 in float64: hundreds of units in the last place, and some room."""

CASES = [(seed, states, horizon) for seed, (states, horizon) in enumerate(np.ndindex(4, 5))]


def thin(chain: MarkovChain, rng: np.random.Generator) -> MarkovChain:
    """Set a fifth of the transitions to zero, where a row keeps a token."""
    kept = np.where(rng.random(chain.transitions.shape) < 0.2, 0.0, chain.transitions)
    totals = kept.sum(axis=-1, keepdims=True)
    rows = np.divide(kept, totals, out=np.array(chain.transitions), where=totals > 0)
    return MarkovChain(chain.initial, rows, chain.horizon)


@pytest.mark.parametrize("stationary", [False, True])
@pytest.mark.parametrize(("seed", "states", "horizon"), CASES)
def test_markov_recursions_against_enumeration(seed: int, states: int, horizon: int, stationary: bool) -> None:
    rng = np.random.default_rng(seed)
    pair = random_markov_pair(states + 1, horizon + 1, rng, concentration=0.4, stationary=stationary)
    draft, target = (thin(chain, rng) for chain in pair)
    run = runs_by_enumeration(draft.tabulate(), target.tabulate())
    mean = run.rejections @ np.arange(target.horizon + 1)
    assert abs(expected_rejections(draft, target) - mean) <= ROUNDING
    assert np.abs(rejection_law(draft, target) - run.rejections).max() <= ROUNDING
    assert np.abs(run.output - target.tabulate().joint()).max() <= ROUNDING


@pytest.mark.parametrize(("seed", "states", "horizon"), CASES)
def test_sum_over_histories_against_enumeration(seed: int, states: int, horizon: int) -> None:
    draft, target = random_tabular_pair(states + 1, horizon + 1, np.random.default_rng(seed), concentration=0.4)
    mean = runs_by_enumeration(draft, target).rejections @ np.arange(target.horizon + 1)
    assert abs(expected_rejections(draft, target) - mean) <= ROUNDING


def test_prefixes_are_weighted_by_the_target() -> None:
    """From state 0, which the target never leaves, the laws agree; the draft would go to where they do not."""
    draft = MarkovChain([0.0, 1.0], [[1.0, 0.0], [1.0, 0.0]], 4)
    target = MarkovChain([1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], 4)
    assert rejection_rates(draft, target).tolist() == [1.0, 0.0, 0.0, 0.0]


def test_stationary_and_stacked_chains_agree() -> None:
    draft, target = random_markov_pair(3, 5, np.random.default_rng(8), stationary=True)
    stacked = MarkovChain(target.initial, np.broadcast_to(target.transitions, (4, 3, 3)))
    assert rejection_rates(draft, stacked) == pytest.approx(rejection_rates(draft, target), abs=1e-15)
    assert rejection_law(draft, stacked) == pytest.approx(rejection_law(draft, target), abs=1e-15)


def test_chains_and_their_tables_agree() -> None:
    draft, target = random_markov_pair(3, 4, np.random.default_rng(9))
    assert rejection_rates(draft.tabulate(), target.tabulate()) == pytest.approx(
        rejection_rates(draft, target), abs=1e-15
    )


def test_without_memory_the_number_is_binomial() -> None:
    from scipy.stats import binom

    draft, target = (MarkovChain(bernoulli(s), [bernoulli(s)] * 2, 6) for s in (0.2, 0.6))
    distance = float(total_variation(bernoulli(0.2), bernoulli(0.6)))
    assert rejection_law(draft, target) == pytest.approx(binom.pmf(np.arange(7), 6, distance), abs=1e-15)


def test_at_length_the_law_has_the_mean_of_the_theorem() -> None:
    draft, target = random_markov_pair(7, 50, np.random.default_rng(10))
    law = rejection_law(draft, target)
    assert law.shape == (51,)
    assert law.sum() == pytest.approx(1.0, abs=ROUNDING)
    assert law @ np.arange(51) == pytest.approx(expected_rejections(draft, target), abs=50 * ROUNDING)


def test_equal_chains_reject_nothing_and_no_probability_exceeds_one() -> None:
    rng = np.random.default_rng(11)
    for _ in range(50):
        chain, _ = random_markov_pair(5, 6, rng)
        assert expected_rejections(chain, chain) == 0.0
        law = rejection_law(chain, chain)
        assert 1 - ROUNDING <= law[0] <= 1.0
        assert not law[1:].any()


def test_disjoint_chains_reject_everything() -> None:
    draft = MarkovChain([1.0, 0.0], [[1.0, 0.0], [1.0, 0.0]], 3)
    target = MarkovChain([0.0, 1.0], [[0.0, 1.0], [0.0, 1.0]], 3)
    assert expected_rejections(draft, target) == 3.0
    assert rejection_law(draft, target).tolist() == [0.0, 0.0, 0.0, 1.0]


def test_a_single_position() -> None:
    draft, target = (MarkovChain(bernoulli(s), np.empty((0, 2, 2))) for s in (0.25, 0.75))
    assert rejection_rates(draft, target).tolist() == [0.5]
    assert rejection_law(draft, target).tolist() == [0.5, 0.5]
