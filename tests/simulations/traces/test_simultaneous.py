"""Intervals against the best seen: simulated coverage on made-up sums of prompts, and that of one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from specproof.simulations.traces.configuration import Configuration
from specproof.simulations.traces.planning import CostRatio, make_plan
from specproof.simulations.traces.pricing import Prices
from specproof.simulations.traces.simultaneous import simultaneous
from specproof.theory.errors import InvalidInput

LENGTHS, PROMPTS, RUNS = range(1, 16), 16, 150
LEVEL, SURE = 0.05, 1e-4


def made_up(rng: np.random.Generator) -> Prices:
    """Sums of configurations that are all as fast by the clock of c = 0, in text that suits each by chance."""
    configurations = tuple(Configuration("single", 1, length) for length in LENGTHS)
    calls = rng.gamma(40.0, 0.5, size=PROMPTS) * np.ones((len(configurations), 1))
    suits_all, suits_one = rng.normal(size=PROMPTS), rng.normal(size=calls.shape)
    names = tuple(f"prompt-{number}" for number in range(PROMPTS))
    return Prices(configurations, names, calls * (3.0 + 0.4 * suits_all + 0.1 * suits_one), calls)


def test_the_best_seen_of_equals_is_told_from_another_no_more_often_than_the_level_says() -> None:
    rng = np.random.default_rng(4)
    wrong = broken = 0
    for run in range(RUNS):
        prices = made_up(rng)
        found, others = simultaneous(prices.log_values(), samples=300, seed=run), range(len(LENGTHS))
        best = int(prices.log_values().mean(axis=1).argmax())
        wrong += any(found.ratio(index, best).high < 1.0 for index in others)
        # The broken control: each pair by itself, as if the best had not been chosen on the same text.
        broken += any(prices.ratio(index, best).high < 1.0 for index in others)
    assert scipy.stats.binomtest(wrong, RUNS, LEVEL, "greater").pvalue > SURE
    assert scipy.stats.binomtest(broken, RUNS, LEVEL, "greater").pvalue < SURE


def test_a_plan_of_equals_has_no_slower_configuration() -> None:
    plan = make_plan(made_up(np.random.default_rng(8)), CostRatio(0.0))
    assert plan.unresolved == plan.rows[1:]
    assert plan.critical > float(scipy.stats.t.isf(LEVEL / 2, PROMPTS - 1))
    assert plan.rows[0].over_best == (1.0, 1.0, 1.0)


def test_one_pair_has_the_critical_value_of_student() -> None:
    values = np.random.default_rng(2).normal(size=(2, 10))
    found = simultaneous(values, samples=20_000).critical
    assert found == pytest.approx(float(scipy.stats.t.isf(LEVEL / 2, 9)), rel=0.03)


def test_the_critical_value_lies_between_one_pair_and_all_by_bonferroni() -> None:
    values = np.random.default_rng(3).normal(size=(8, 20))
    one, bonferroni = (float(scipy.stats.t.isf(LEVEL / 2 / pairs, 19)) for pairs in (1, 28))
    assert one < simultaneous(values).critical < 1.05 * bonferroni
    # Another pair of the same difference asks nothing more, and rows that are alike are not compared.
    assert simultaneous(np.vstack([values, values])).critical == pytest.approx(simultaneous(values).critical, rel=0.05)


def test_the_same_seed_gives_the_same_value() -> None:
    values = np.random.default_rng(5).normal(size=(5, 12))
    assert simultaneous(values).critical == simultaneous(values).critical
    assert simultaneous(values).critical != simultaneous(values, seed=1).critical


def test_what_is_alike_has_an_interval_of_one_point_and_one_unit_has_none() -> None:
    values = np.log(np.random.default_rng(6).uniform(1, 2, size=(1, 7)))
    assert simultaneous(np.vstack([values, values])).ratio(0, 1) == (1.0, 1.0, 1.0)
    alone = simultaneous(np.log([[2.0], [1.0]])).ratio(0, 1)
    assert alone.estimate == pytest.approx(2.0)
    assert np.isnan([alone.low, alone.high]).all()


@pytest.mark.parametrize("shape", [(3,), (0, 4), (2, 0)])
def test_tables_without_rows_or_columns_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"values has shape \(.*: give a row a configuration and a column a prompt"):
        simultaneous(np.ones(shape))
