r"""The optimal transport problem itself, as a sparse linear program (vocabularies of up to a thousand tokens).

.. math:: \max \sum_{s} \sum_{y \in s} \pi(s,y) \quad\text{s.t.}\quad
          \sum_{y \in s} \pi(s,y) \le P(s), \quad \sum_{s \ni y} \pi(s,y) \le q(y), \quad \pi \ge 0

The inequality form is always feasible, whereas the equality form is declared infeasible when the two marginals' sums
differ in the last bit. (Sun et al. 2023, section 3.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.distribution import ONE_VOCABULARY, Array
from specproof.theory.errors import InvalidInput
from specproof.theory.transport.draft_sets import DraftSets, as_draft_sets, one_distribution
from specproof.theory.transport.plan import MembershipPlan, feasible_plan

if TYPE_CHECKING:
    import highspy

FEASIBILITY = 1e-10
"""What HiGHS is asked for in each constraint: its default of 1e-7 would let probabilities of that size be ignored."""

OPTIONS = {"solver": "simplex", "primal_feasibility_tolerance": FEASIBILITY, "dual_feasibility_tolerance": FEASIBILITY}


def solve_membership_lp(
    draft: DraftSets | ArrayLike, target: ArrayLike, num_drafts: int | None = None
) -> MembershipPlan:
    """The optimal plan for k i.i.d. drafts from one law, or for drafts of any law.

    Parameters
    ----------
    draft : array_like, shape (V,), or DraftSets
        The law that each of k independent drafts has; or the law of the set of drafts, as :func:`optimal_plan` takes
        it.
    target : array_like, shape (V,)
    num_drafts : int, optional
        k >= 1, for one law of shape (V,) alone: a DraftSets says itself how many drafts there are.

    Raises
    ------
    InvalidInput
        If the arguments are not one pair of distributions, k is not an integer >= 1 or comes with a DraftSets, or the
        program exceeds ``LARGEST_PLAN`` variables.
    RuntimeError
        If the solver does not report an optimum.

    Examples
    --------
    Two drafts over three tokens, i.i.d., without replacement, from a law each, and of a joint law (two copies of one):

    >>> p, q = [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]
    >>> def accepted(plan):
    ...     return round(plan.acceptance, 4)
    >>> accepted(solve_membership_lp(p, q, 2))
    0.86
    >>> accepted(solve_membership_lp(DraftSets.without_replacement(p, 2), q))
    0.9857
    >>> accepted(solve_membership_lp(DraftSets.of_different([p, q]), q))
    1.0
    >>> accepted(solve_membership_lp(DraftSets.of_joint([[0.5, 0.0, 0.0], [0.0, 0.3, 0.0], [0.0, 0.0, 0.2]]), q))
    0.7
    """
    if isinstance(draft, DraftSets):
        if num_drafts is not None:
            raise InvalidInput(
                f"num_drafts is {num_drafts!r} beside a DraftSets, which says how many drafts there are: leave it out"
            )
        return optimal_plan(draft, target)
    if num_drafts is None:
        raise InvalidInput(
            "num_drafts is None: it must be an integer >= 1 for i.i.d. drafts; give drafts of another law as DraftSets"
        )
    return optimal_plan(DraftSets.iid(draft, num_drafts), target)


def optimal_plan(drafts: DraftSets, target: ArrayLike) -> MembershipPlan:
    """The optimal plan for drafts of any law, HiGHS's simplex method on the sparse program.

    Parameters
    ----------
    drafts : DraftSets
    target : array_like, shape (V,)

    Raises
    ------
    InvalidInput
        If the drafts are no DraftSets or the target is not one distribution over their vocabulary.
    RuntimeError
        If the solver does not report an optimum.

    Examples
    --------
    >>> from specproof import DraftSets, optimal_plan
    >>> plan = optimal_plan(DraftSets.iid([0.5, 0.5], 2), [0.125, 0.875])
    >>> round(plan.acceptance, 9)
    0.875
    """
    law = target_of(drafts, target)
    # Loaded when first used: other solvers bring a libhighs.so.1 too, and a process has the one that it loads first.
    import highspy

    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.silent()
    for name, value in OPTIONS.items():
        solver.setOptionValue(name, value)
    solver.passModel(_program(drafts, law))
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended the linear program with status {solver.modelStatusToString(status)!r}")
    found = solver.getSolution()
    return feasible_plan(
        drafts, law, np.array(found.col_value), -np.array(found.row_dual)[len(drafts.sets) :], "optimal"
    )


def _program(drafts: DraftSets, target: Array) -> highspy.HighsLp:
    """Write the program down for HiGHS, which is ten times as fast as through SciPy where it is small."""
    import highspy

    member = drafts.membership
    size, num_sets = member.nnz, len(drafts.sets)
    by_set = np.repeat(np.arange(num_sets), np.diff(member.indptr))
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = size, num_sets + target.size
    program.col_cost_, program.col_lower_, program.col_upper_ = -np.ones(size), np.zeros(size), np.full(size, np.inf)
    program.row_lower_ = np.full(num_sets + target.size, -np.inf)
    program.row_upper_ = np.concatenate([drafts.probability, target])
    # Each variable is in two constraints, its set's and its token's, so the columns can be written down as they are.
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.arange(0, 2 * size + 1, 2)
    program.a_matrix_.index_ = np.stack([by_set, num_sets + member.indices], axis=1).reshape(-1)
    program.a_matrix_.value_ = np.ones(2 * size)
    return program


def target_of(drafts: DraftSets, target: ArrayLike) -> Array:
    """Check a target against the drafts' vocabulary."""
    vocabulary, law = as_draft_sets(drafts).vocabulary, one_distribution(target, "target")
    if law.size != vocabulary:
        raise InvalidInput(f"target has {law.size} tokens and the drafts have {vocabulary}: {ONE_VOCABULARY}")
    return law
