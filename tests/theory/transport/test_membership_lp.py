"""The linear program: both formulations, every draft law, and solvers by other people."""

from __future__ import annotations

import doctest
from itertools import product

import numpy as np
import ot
import pytest

from specproof.conformance.strategies import DEGENERATE
from specproof.theory.distribution import Array, as_distribution, as_pair, dirichlet, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.independent.optimum_by_subsets import optimum_by_subsets
from specproof.theory.independent.plan_by_cvxpy import plan_by_cvxpy
from specproof.theory.transport import (
    DraftSets,
    MembershipPlan,
    membership_lp,
    optimal_acceptance,
    optimal_plan,
    solve_membership_lp,
)
from specproof.theory.transport.plan import feasible_plan

SOLVER = 1e-9
"""HiGHS is asked for feasibility to 1e-10 in each constraint."""

ROUNDING = 1e-14


def instances() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(12)
    return {"dirichlet": (dirichlet(5, 0.5, rng), dirichlet(5, 0.5, rng)), **DEGENERATE}


def draft_laws(draft: Array, target: Array) -> dict[str, DraftSets]:
    """One instance of every kind, made of two rows."""
    joint = np.einsum("i,j,k->ijk", draft, target, draft) + np.einsum(
        "i,ij,jk->ijk", *(target, *[np.eye(len(draft))] * 2)
    )
    return {
        "iid": DraftSets.iid(draft, 3),
        "without replacement": DraftSets.without_replacement(draft, min(3, int(np.count_nonzero(draft)))),
        "different": DraftSets.of_different([draft, target, draft]),
        "joint": DraftSets.of_joint(joint / joint.sum()),
    }


def assert_feasible(found: MembershipPlan, target: Array) -> None:
    member = np.array([[token in drawn for token in range(target.size)] for drawn in found.sets])
    plan = found.plan.toarray()
    assert found.status == "optimal"
    assert plan.min() >= 0
    assert np.all(plan[~member] == 0), "emits only what was drafted"
    assert np.all(plan.sum(axis=1) <= found.set_probability + ROUNDING)
    assert np.all(plan.sum(axis=0) <= target + ROUNDING)
    assert found.acceptance == pytest.approx(plan.sum(), abs=ROUNDING)
    assert min(found.dual_sets.min(), found.dual_tokens.min()) >= 0
    assert np.all((found.dual_sets[:, None] + found.dual_tokens)[member] >= 1 - ROUNDING)
    dual_value = found.dual_sets @ found.set_probability + found.dual_tokens @ target
    assert found.gap == pytest.approx(dual_value - found.acceptance, abs=1e-15)


@pytest.mark.parametrize("law", ["iid", "without replacement", "different", "joint"])
@pytest.mark.parametrize("name", instances())
def test_plan_and_prices_are_feasible_and_equal_in_value(name: str, law: str) -> None:
    draft, target = as_pair(*instances()[name])
    drafts = draft_laws(draft, target)[law]
    exact = optimum_by_subsets(drafts, target).acceptance
    for found in (optimal_plan(drafts, target), plan_by_cvxpy(drafts, target)):
        assert_feasible(found, target)
        assert -ROUNDING <= found.gap <= SOLVER
        assert found.acceptance == pytest.approx(exact, abs=SOLVER)


def unmerged(joint: Array) -> DraftSets:
    """One row for each draft tuple, as the program is first stated."""
    tuples = list(product(range(joint.shape[0]), repeat=joint.ndim))
    return DraftSets(
        joint.shape[0], tuple(tuple(sorted(set(drawn))) for drawn in tuples), tuple(float(joint[x]) for x in tuples)
    )


@pytest.mark.parametrize("seed", range(20))
def test_merging_tuples_into_sets_loses_nothing(seed: int) -> None:
    rng = np.random.default_rng([14, seed])
    joint, target = dirichlet(64, 0.3, rng).reshape(4, 4, 4), dirichlet(4, 0.5, rng)
    tuples = unmerged(joint)
    assert len(tuples.sets) == 64
    merged, plain = optimal_plan(DraftSets.of_joint(joint), target), optimal_plan(tuples, target)
    assert_feasible(plain, target)
    assert merged.acceptance == pytest.approx(plain.acceptance, abs=SOLVER)


def test_a_plan_by_hand() -> None:
    """p = (1/2, 1/2), q = (1, 0), k = 2: token 0 is drafted with probability 3/4, and without replacement always."""
    assert solve_membership_lp([0.5, 0.5], [1.0, 0.0], 2).acceptance == pytest.approx(0.75, abs=ROUNDING)
    both = optimal_plan(DraftSets.without_replacement([0.5, 0.5], 2), [1.0, 0.0])
    assert both.sets == ((0, 1),)
    assert both.plan.toarray().tolist() == [[1.0, 0.0]]


def test_marginals_that_differ_in_the_last_bit() -> None:
    """The equality form of the program is infeasible here."""
    draft, target = uniform(7), np.append(uniform(7)[:-1], 1 - uniform(7)[:-1].sum())
    assert solve_membership_lp(draft, target, 2).acceptance == pytest.approx(1.0, abs=SOLVER)


@pytest.mark.parametrize(("tokens", "num_drafts"), [(12, 3), (60, 2)])
def test_peers_agree(tokens: int, num_drafts: int) -> None:
    """Network simplex of POT, on the equality form."""
    rng = np.random.default_rng(tokens)
    draft, target = dirichlet(tokens, 1.0, rng), dirichlet(tokens, 1.0, rng)
    found = solve_membership_lp(draft, target, num_drafts)
    assert abs(found.gap) <= SOLVER
    assert found.acceptance == pytest.approx(float(optimal_acceptance(draft, target, num_drafts)), abs=SOLVER)
    drafts = DraftSets.iid(draft, num_drafts)
    masses = drafts.probability / drafts.probability.sum()
    rejected = ot.emd2(masses, as_distribution(target), 1.0 - drafts.membership.toarray(), numItermax=1_000_000)
    assert 1.0 - rejected == pytest.approx(found.acceptance, abs=SOLVER)


@pytest.mark.parametrize("solve", [optimal_plan, plan_by_cvxpy, optimum_by_subsets])
def test_targets_of_another_shape_are_refused(solve: object) -> None:
    assert callable(solve)
    drafts = DraftSets.iid(uniform(3), 2)
    with pytest.raises(InvalidInput, match="target has 4 tokens and the drafts have 3"):
        solve(drafts, uniform(4))
    with pytest.raises(InvalidInput, match=r"target has shape \(2, 3\)"):
        solve(drafts, [uniform(3)] * 2)
    with pytest.raises(InvalidInput, match=r"target\[0\] = nan"):
        solve(drafts, [np.nan, 0.5, 0.5])


def test_no_solver_writes_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """HiGHS has a banner, which would stand in the middle of JSON."""
    for solve in (optimal_plan, plan_by_cvxpy):
        solve(DraftSets.iid(uniform(4), 2), uniform(4))
    assert capfd.readouterr() == ("", "")


def test_all_sets_are_tried_only_of_few_tokens() -> None:
    drafts = DraftSets.iid(uniform(23), 1)
    with pytest.raises(InvalidInput, match="target has 23 tokens, and trying all sets of them stops at 22"):
        optimum_by_subsets(drafts, uniform(23))


def test_a_solver_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    hurried = {"presolve": "off", "simplex_iteration_limit": 0}
    monkeypatch.setattr("specproof.theory.transport.membership_lp.OPTIONS", hurried)
    with pytest.raises(RuntimeError, match="status 'Iteration limit reached'"):
        solve_membership_lp(uniform(2), uniform(2), 1)


@pytest.mark.parametrize("law", ["iid", "without replacement", "different", "joint"])
def test_one_door_for_every_draft_law(law: str) -> None:
    draft, target = as_pair(*instances()["dirichlet"])
    drafts = draft_laws(draft, target)[law]
    found, known = solve_membership_lp(drafts, target), optimal_plan(drafts, target)
    assert found.acceptance == known.acceptance
    assert (found.plan != known.plan).nnz == 0
    if law == "iid":
        assert solve_membership_lp(draft, target, 3).acceptance == known.acceptance


def test_a_number_of_drafts_is_asked_for_once() -> None:
    drafts = DraftSets.iid(uniform(3), 2)
    with pytest.raises(InvalidInput, match=r"num_drafts is 2 beside a DraftSets, .* leave it out"):
        solve_membership_lp(drafts, uniform(3), 2)
    with pytest.raises(InvalidInput, match=r"num_drafts is None: it must be an integer .* as DraftSets"):
        solve_membership_lp(uniform(3), uniform(3))


def test_the_examples_of_the_documentation() -> None:
    failed, tried = doctest.testmod(membership_lp)
    assert failed == 0
    assert tried > 4


def test_prices_out_of_bounds_are_clipped() -> None:
    """A solver's prices may be off by its tolerance, or by more: the dual point is feasible all the same."""
    drafts, target = DraftSets.iid([0.5, 0.5], 2), np.array([0.25, 0.75])
    found = feasible_plan(drafts, target, np.zeros(drafts.membership.nnz), np.array([-0.5, 1.5]), "made up")
    assert found.dual_tokens.tolist() == [0.0, 1.0]
    assert (found.dual_sets >= 0.0).all()
    for tokens, price in zip(found.sets, found.dual_sets, strict=True):
        assert (price + found.dual_tokens[list(tokens)] >= 1.0).all()
    assert found.gap >= float(optimal_acceptance([0.5, 0.5], target, 2)) - 1e-15
