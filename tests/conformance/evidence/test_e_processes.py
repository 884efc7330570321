"""E-processes: means of 1 under the null, exactly where that can be enumerated, and the power that is stated."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.evidence.detectable_bias import detectable_bias, total_variation_bound
from specproof.conformance.evidence.e_processes import AcceptanceEvidence, LawEvidence
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.strategies import distributions


def all_counts(outcomes: int, draws: int) -> list[tuple[int, ...]]:
    """Every way to put so many draws into so many outcomes."""
    bars = combinations(range(draws + outcomes - 1), outcomes - 1)
    return [tuple(np.diff((-1, *bar, draws + outcomes - 1)) - 1) for bar in bars]


@given(law=distributions(3, tiny=False), leak=distributions(3, tiny=False), draws=st.integers(0, 5))
def test_the_mean_of_law_evidence_is_at_most_one(law: np.ndarray, leak: np.ndarray, draws: int) -> None:
    mean = 0.0
    for counts in all_counts(3, draws):
        chance = scipy.stats.multinomial.pmf(counts, draws, law) if draws else 1.0
        if chance > 0:
            evidence = LawEvidence(law, leak)
            evidence.counts += counts
            mean += chance * np.exp(evidence.log_value)
    # 1 where the law excludes nothing that a leak allows, below it else. Differences of log-gammas at the largest
    # concentration, 7e7, are off by about 1e-7.
    assert mean <= 1 + 1e-6
    if (law > 0).all():
        assert mean == pytest.approx(1, abs=1e-6)


@given(bound=st.floats(0, 1), share=st.floats(0, 1), draws=st.integers(1, 8))
def test_the_mean_of_acceptance_evidence_is_at_most_one_below_the_bound(bound: float, share: float, draws: int) -> None:
    chance, mean = bound * share, 0.0
    for successes in range(draws + 1):
        weight = scipy.stats.binom.pmf(successes, draws, chance)
        evidence = AcceptanceEvidence(bound)
        evidence.trials, evidence.successes = draws, successes
        mean += weight * np.exp(min(evidence.log_value, 700.0)) if weight > 0 else 0.0
    assert mean <= 1 + 1e-8


def test_what_is_impossible_is_infinite_evidence() -> None:
    evidence = LawEvidence(np.array([0.5, 0.5, 0.0]))
    evidence.add(np.array([0, 1, 2]))
    assert evidence.log_value == np.inf
    accepted = AcceptanceEvidence(0.0)
    accepted.add(np.array([False, True]))
    assert accepted.log_value == np.inf


def test_a_certain_acceptance_is_never_too_often() -> None:
    accepted = AcceptanceEvidence(1.0)
    accepted.add(np.ones(10_000, dtype=bool))
    assert accepted.log_value == 0.0


@pytest.mark.parametrize("trials", [2_000, 200_000])
def test_the_stated_power_is_reached_against_the_direction_that_is_hardest_to_see(trials: int) -> None:
    law, level = ladder("chain")["three tokens"].target_law.reshape(-1), 1e-6
    subsets = [list(chosen) for size in range(1, 9) for chosen in combinations(range(9), size)]
    half = min(subsets, key=lambda chosen: abs(law[chosen].sum() - 0.5))
    bias, mass = detectable_bias(law.size, trials, level), law[half].sum()
    moved = law * (1 - mass - bias) / (1 - mass)
    moved[half] = law[half] * (mass + bias) / mass
    assert 0.5 * np.abs(moved - law).sum() == pytest.approx(bias)
    # 2,000 repetitions with a true power of 0.99 fall below 0.98 with probability 2e-5.
    assert _power(law, moved, trials, level, 2000) >= 0.98
    # The statement is not empty: a quarter of that bias is mostly missed (expected power below 0.01, fails at 1e-9).
    assert _power(law, 0.75 * law + 0.25 * moved, trials, level, 200) <= 0.2


def _power(law: np.ndarray, drawn: np.ndarray, trials: int, level: float, repetitions: int) -> float:
    rng, seen = np.random.default_rng(5), 0
    for _ in range(repetitions):
        evidence = LawEvidence(law)
        evidence.counts += rng.multinomial(trials, drawn)
        seen += evidence.log_value >= -np.log(level)
    return seen / repetitions


def test_detectable_without_data_or_choice() -> None:
    assert detectable_bias(4, 0, 1e-6) == math.inf
    assert detectable_bias(1, 1000, 1e-6) == math.inf
    assert detectable_bias(4, 10, 1e-6) == math.inf


def test_the_total_variation_bound_is_rarely_above_the_truth_and_near_it_with_data() -> None:
    rng, law, drawn = np.random.default_rng(6), np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])
    bounds = np.array([total_variation_bound(*rng.multinomial(20_000, drawn, 2), law, 0.05) for _ in range(500)])
    # Too high with probability at most 0.05: more than 60 of 500 has probability below 1e-9.
    assert (bounds > 0.1).sum() <= 60
    assert np.median(bounds) > 0.09
    assert total_variation_bound(*rng.multinomial(20_000, law, 2), law, 1e-9) == 0.0
