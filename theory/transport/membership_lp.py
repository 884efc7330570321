"""The optimal transport problem itself, as a linear program (small vocabularies)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from theory.distribution import Array, as_pair
from theory.drafts import one_num_drafts
from theory.errors import InvalidInput

LARGEST_LP = 2_000_000
"""The most variables the linear program is built with."""


@dataclass(frozen=True)
class MembershipPlan:
    """An optimal coupling of k i.i.d. drafts with the target, from the linear program.

    Attributes
    ----------
    acceptance : float
        The optimal value, P(Y in set(X)).
    sets : tuple of tuples
        The S possible sets of drafted tokens (at most k distinct ones each).
    set_probability : array, shape (S,)
        P(set(X) = sets[s]) for i.i.d. drafts.
    plan : array, shape (S, V)
        Joint probability of drafting sets[s] and emitting token y, y in sets[s]; the mass of rejections is left out.
    dual_sets, dual_tokens : arrays, shapes (S,) and (V,)
        A dual point: non-negative prices with dual_sets[s] + dual_tokens[y] >= 1 wherever y is in sets[s].
    gap : float
        Dual value minus primal value, 0 up to the solver's tolerance.
    status : str
        The solver's word, "optimal".
    """

    acceptance: float
    sets: tuple[tuple[int, ...], ...]
    set_probability: Array
    plan: Array
    dual_sets: Array
    dual_tokens: Array
    gap: float
    status: str


def solve_membership_lp(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> MembershipPlan:
    r"""Solve the optimal transport problem of k i.i.d. drafts as a linear program (cvxpy, HiGHS).

    .. math:: \max \sum_{s} \sum_{y \in s} \pi(s,y) \quad\text{s.t.}\quad
              \sum_{y \in s} \pi(s,y) \le P(s), \quad \sum_{s \ni y} \pi(s,y) \le q(y), \quad \pi \ge 0

    Draft tuples are merged into the sets of their tokens, which loses nothing: the cost sees only the set. The
    inequality form is always feasible, whereas the equality form is declared infeasible when the two marginals' sums
    differ in the last bit. (Sun et al. 2023, section 3.)

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    num_drafts : int
        k >= 1.

    Raises
    ------
    InvalidInput
        If the arguments are not one pair of distributions, k < 1, or the program exceeds ``LARGEST_LP`` variables.
    RuntimeError
        If the solver does not report an optimum.
    """
    draft_row, target_row = as_pair(draft, target)
    count = one_num_drafts(num_drafts)
    if draft_row.ndim != 1 or target_row.ndim != 1:
        raise InvalidInput("the linear program takes one pair of shape (V,): loop over the rows")
    _refuse_large(int(np.count_nonzero(draft_row)), count)
    masses = draft_set_law(draft_row, count)
    sets = tuple(masses)
    probability = np.fromiter(masses.values(), dtype=np.float64)
    rows = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
    columns = np.concatenate([np.array(s) for s in sets])
    return _solve(sets, probability, target_row, rows, columns)


def draft_set_law(draft: Array, num_drafts: int) -> dict[tuple[int, ...], float]:
    """P(set(X) = s) for k i.i.d. drafts, by adding one draft at a time (sums of products, no cancellation)."""
    support = np.flatnonzero(draft)
    law: dict[tuple[int, ...], float] = {(): 1.0}
    for _ in range(num_drafts):
        longer: dict[tuple[int, ...], float] = {}
        for drawn, mass in law.items():
            for token in support:
                merged = drawn if token in drawn else tuple(sorted((*drawn, int(token))))
                longer[merged] = longer.get(merged, 0.0) + mass * draft[token]
        law = longer
    return law


def _solve(
    sets: tuple[tuple[int, ...], ...], probability: Array, target: Array, rows: np.ndarray, columns: np.ndarray
) -> MembershipPlan:
    import cvxpy as cp  # takes over a second, which nobody should wait for who solves no program

    size = rows.size
    entries, ones = np.arange(size), np.ones(size)
    by_set = sp.csr_array((ones, (rows, entries)), shape=(len(sets), size))
    by_token = sp.csr_array((ones, (columns, entries)), shape=(target.size, size))
    flow = cp.Variable(size, nonneg=True)
    within_sets, within_tokens = by_set @ flow <= probability, by_token @ flow <= target
    problem = cp.Problem(cp.Maximize(cp.sum(flow)), [within_sets, within_tokens])
    # The default of 1e-7 would let probabilities of that size be ignored.
    problem.solve(solver=cp.HIGHS, primal_feasibility_tolerance=1e-10, dual_feasibility_tolerance=1e-10)
    if problem.status != cp.OPTIMAL:
        raise RuntimeError(f"HiGHS ended the linear program with status {problem.status!r}")
    plan = np.zeros((len(sets), target.size))
    plan[rows, columns] = flow.value
    dual_sets, dual_tokens = np.asarray(within_sets.dual_value), np.asarray(within_tokens.dual_value)
    acceptance = float(flow.value.sum())
    dual_value = float(dual_sets @ probability + dual_tokens @ target)
    return MembershipPlan(
        acceptance, sets, probability, plan, dual_sets, dual_tokens, dual_value - acceptance, problem.status
    )


def _refuse_large(support: int, num_drafts: int) -> None:
    """A set of j tokens has j variables; count them before anything is built."""
    variables, subsets = 0, 1
    for size in range(1, min(num_drafts, support) + 1):
        subsets = subsets * (support - size + 1) // size
        variables += size * subsets
    if variables > LARGEST_LP:
        raise InvalidInput(
            f"{support} drafted tokens and num_drafts {num_drafts} make a linear program of {variables} variables, "
            f"more than {LARGEST_LP}: use optimal_acceptance, which needs none"
        )
