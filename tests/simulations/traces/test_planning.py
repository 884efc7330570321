"""Plans: what is fastest at a price, and what the text leaves open."""

from __future__ import annotations

import numpy as np
import pytest
from traced_chains import traced

from specproof.simulations.traces.ask import asked_configurations
from specproof.simulations.traces.planning import CostRatio, Plan, make_plan
from specproof.simulations.traces.pricing import price
from specproof.simulations.traces.trace import Trace
from specproof.theory.chain import random_markov_pair
from specproof.theory.errors import InvalidInput

PAIR = random_markov_pair(4, 2, np.random.default_rng(5), stationary=True)


@pytest.fixture(scope="module")
def trace() -> Trace:
    return traced(*PAIR, texts=12, length=60)


def planned(trace: Trace, cost: float, **asked: object) -> Plan:
    return make_plan(
        price(trace, asked_configurations(trace, **{"lengths": [1, 2, 4], "num_drafts": [2]} | asked)), CostRatio(cost)
    )


def test_the_fastest_comes_first(trace: Trace) -> None:
    plan = planned(trace, 0.1)
    speeds = [row.speed.estimate for row in plan.rows]
    assert speeds == sorted(speeds, reverse=True)
    assert plan.rows[0].over_best == pytest.approx((1.0, 1.0, 1.0))
    best_of_one = next(row for row in plan.rows if row.configuration.rule == "single")
    assert best_of_one.over_one_draft == pytest.approx((1.0, 1.0, 1.0))
    for row in plan.rows:
        assert row.speed.estimate == pytest.approx(
            row.tokens_per_call.estimate / (1 + 0.1 * row.configuration.length), rel=1e-3
        )


def test_free_drafts_are_drafted_at_length_and_dear_ones_not_at_all(trace: Trace) -> None:
    assert planned(trace, 0.0).rows[0].configuration.length == 4
    dear = planned(trace, 2.0)
    assert not dear.pays
    assert dear.recommendation().startswith("Decode by the target alone")


def test_what_is_not_resolved_is_said(trace: Trace) -> None:
    plan = planned(trace, 0.3)
    open_rows = plan.unresolved
    assert ("do not differ at this amount of text" in plan.recommendation()) == bool(open_rows)
    assert all(row.over_best.high >= 1.0 for row in open_rows)
    assert all(row.is_slower or row in open_rows for row in plan.rows[1:])
    for row in open_rows:
        assert row.text_needed >= 1.0


def test_what_is_resolved_is_said(trace: Trace) -> None:
    plan = planned(trace, 0.1, rules=["kseq", "single"], lengths=[2], num_drafts=[3])
    assert [row.configuration.rule for row in plan.rows] == ["kseq", "single"]
    assert plan.rows[1].is_slower
    assert "Every other configuration is shown to be slower." in plan.recommendation()


def test_tables_and_curves(trace: Trace) -> None:
    plan = planned(trace, 0.1, trees=[[2, 1]])
    assert len(plan.table()) == len(plan.rows)
    curves = plan.curves([0.0, 0.5])
    assert len(curves) == 2 * len(plan.rows)
    first = curves[(curves["cost"] == 0.0)].iloc[0]
    assert first["speed"] == pytest.approx(plan.rows[0].tokens_per_call.estimate)


@pytest.mark.parametrize("cost", [-0.1, float("nan"), float("inf"), "dear"])
def test_bad_costs(cost: float) -> None:
    with pytest.raises(InvalidInput, match="cost is"):
        CostRatio(cost)
