from __future__ import annotations

from collections import defaultdict
from itertools import product

import numpy as np
import pytest
from strategies import DEGENERATE

from theory.distribution import as_pair, dirichlet
from theory.transport.membership_lp import draft_set_law, solve_membership_lp

SOLVER = 1e-9
"""HiGHS is asked for feasibility to 1e-10 in each constraint."""


@pytest.mark.parametrize("num_drafts", [1, 2, 3, 4])
def test_set_law_is_that_of_all_draft_tuples(num_drafts: int) -> None:
    draft = np.array([0.5, 0.25, 0.0, 0.25])
    expected: dict[tuple[int, ...], float] = defaultdict(float)
    for drafts in product(range(4), repeat=num_drafts):
        expected[tuple(sorted(set(drafts)))] += float(np.prod(draft[list(drafts)]))
    found = draft_set_law(draft, num_drafts)
    assert found == {drawn: mass for drawn, mass in expected.items() if mass > 0}, "dyadic masses add without rounding"


def instances() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(12)
    return {"dirichlet": (dirichlet(5, 0.5, rng), dirichlet(5, 0.5, rng)), **DEGENERATE}


@pytest.mark.parametrize("num_drafts", [1, 3])
@pytest.mark.parametrize("name", instances())
def test_plan_and_prices_are_feasible_and_equal_in_value(name: str, num_drafts: int) -> None:
    draft, target = as_pair(*instances()[name])
    found = solve_membership_lp(draft, target, num_drafts)
    member = np.array([[token in drawn for token in range(target.size)] for drawn in found.sets])

    assert found.status == "optimal"
    assert found.plan.min() >= -SOLVER
    assert np.all(found.plan[~member] == 0), "emits only what was drafted"
    assert np.all(found.plan.sum(axis=1) <= found.set_probability + SOLVER)
    assert np.all(found.plan.sum(axis=0) <= target + SOLVER)
    assert found.acceptance == pytest.approx(found.plan.sum(), abs=SOLVER)

    assert min(found.dual_sets.min(), found.dual_tokens.min()) >= -SOLVER
    assert np.all((found.dual_sets[:, None] + found.dual_tokens)[member] >= 1 - SOLVER)
    dual_value = found.dual_sets @ found.set_probability + found.dual_tokens @ target
    assert found.gap == pytest.approx(dual_value - found.acceptance, abs=1e-15)
    assert abs(found.gap) <= SOLVER


def test_the_largest_program_is_counted_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over 4 tokens and k = 2: four sets of one and six of two make 16 variables."""
    law = np.full(4, 0.25)
    monkeypatch.setattr("theory.transport.membership_lp.LARGEST_LP", 16)
    assert solve_membership_lp(law, law, 2).acceptance == pytest.approx(1.0, abs=SOLVER)
    monkeypatch.setattr("theory.transport.membership_lp.LARGEST_LP", 15)
    with pytest.raises(ValueError, match="16 variables, more than 15"):
        solve_membership_lp(law, law, 2)
