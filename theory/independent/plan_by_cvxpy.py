"""The same linear program as one writes it on paper, for reading and for checking."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from specproof.theory.transport.draft_sets import DraftSets
from specproof.theory.transport.membership_lp import FEASIBILITY, target_of
from specproof.theory.transport.plan import MembershipPlan, feasible_plan


def plan_by_cvxpy(drafts: DraftSets, target: ArrayLike) -> MembershipPlan:
    """As :func:`specproof.theory.transport.membership_lp.optimal_plan`, stated in cvxpy.

    Raises
    ------
    InvalidInput
        If the drafts are no DraftSets or the target is not one distribution over their vocabulary.
    RuntimeError
        If the solver does not report an optimum.

    Examples
    --------
    >>> round(plan_by_cvxpy(DraftSets.iid([0.5, 0.3, 0.2], 2), [0.2, 0.3, 0.5]).acceptance, 9)
    0.86
    """
    import cvxpy as cp  # takes over a second, which nobody should wait for who solves no program

    law = target_of(drafts, target)
    member = drafts.membership
    pairs = np.arange(member.nnz)
    by_set = sp.csr_array((member.data, pairs, member.indptr), shape=(len(drafts.sets), member.nnz))
    by_token = sp.csr_array((member.data, (member.indices, pairs)), shape=(law.size, member.nnz))
    flow = cp.Variable(member.nnz, nonneg=True)
    within_sets, within_tokens = by_set @ flow <= drafts.probability, by_token @ flow <= law
    problem = cp.Problem(cp.Maximize(cp.sum(flow)), [within_sets, within_tokens])
    problem.solve(solver=cp.HIGHS, primal_feasibility_tolerance=FEASIBILITY, dual_feasibility_tolerance=FEASIBILITY)
    if problem.status != cp.OPTIMAL:
        raise RuntimeError(f"HiGHS ended the linear program with status {problem.status!r}")
    return feasible_plan(drafts, law, flow.value, np.asarray(within_tokens.dual_value), problem.status)
