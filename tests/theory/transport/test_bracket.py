from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import DraftSets, bracket, certify, optimal_plan


@given(pair=rough_pairs(4))
@with_degenerate()
def test_the_exact_optimum_is_in_the_bracket(pair: Pair) -> None:
    draft, target = as_pair(*pair)
    drafts = DraftSets.iid(draft, 2, exact=True)
    found = bracket(drafts, target, optimal_plan(drafts, target))
    exact = certify(draft, target, 2).acceptance
    # The certificate normalises the rows as floats once more, which may move them by an ulp.
    assert found.lower - Fraction(1, 10**15) <= exact <= found.upper + Fraction(1, 10**15)
    assert found.lower <= found.upper
    assert found.gap <= 1e-9


@pytest.mark.parametrize("exact", [False, True])
def test_every_draft_law(exact: bool) -> None:
    rng = np.random.default_rng(41)
    draft, target = dirichlet(5, 1.0, rng), dirichlet(5, 1.0, rng)
    laws = [
        DraftSets.without_replacement(draft, 3, exact=exact),
        DraftSets.of_different([draft, target], exact=exact),
        DraftSets.of_joint(dirichlet(25, 1.0, rng).reshape(5, 5), exact=exact),
    ]
    for drafts in laws:
        plan = optimal_plan(drafts, target)
        found = bracket(drafts, target, plan)
        assert 0 <= found.gap <= 1e-12
        assert float(found.lower) == pytest.approx(plan.acceptance, abs=1e-12)


def test_a_bad_plan_proves_little_and_nothing_wrong() -> None:
    draft, target = [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]
    drafts = DraftSets.iid(draft, 2, exact=True)
    plan = optimal_plan(drafts, target)
    best = bracket(drafts, target, plan)
    bad = replace(plan, plan=2.0 * plan.plan, dual_tokens=np.zeros(3))
    found = bracket(drafts, target, bad)
    assert found.lower <= best.upper
    assert best.lower <= found.upper == 1
    assert bracket(drafts, target, replace(plan, plan=0.5 * plan.plan)).lower == pytest.approx(plan.acceptance / 2)
    assert bracket(drafts, target, replace(plan, plan=-plan.plan)).lower == 0


def test_a_plan_for_other_drafts_is_refused() -> None:
    plan = optimal_plan(DraftSets.iid(uniform(3), 2), uniform(3))
    with pytest.raises(InvalidInput, match="plan is not over the sets of these drafts"):
        bracket(DraftSets.iid(uniform(3), 1), uniform(3), plan)
