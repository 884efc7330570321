"""A proof of the optimal acceptance for drafts of any law: two rational numbers with the optimum between them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.display import html_record, one_line
from specproof.theory.errors import InvalidInput
from specproof.theory.rationals import as_fractions
from specproof.theory.transport.draft_sets import DraftSets
from specproof.theory.transport.membership_lp import target_of
from specproof.theory.transport.plan import MembershipPlan


class Bracket(NamedTuple):
    """What a coupling and a set of tokens prove, without rounding: the optimum lies between the bounds.

    The coupling is made of float64 numbers. Where the best one meets a bound of the problem exactly, as it must for an
    optimum of 1, they miss it by rounding, and a gap of some 1e-16 is left.

    Examples
    --------
    >>> from specproof import DraftSets, bracket, optimal_plan
    >>> drafts = DraftSets.iid([0.5, 0.5], 2, exact=True)
    >>> bracket(drafts, [0.25, 0.75], optimal_plan(drafts, [0.25, 0.75]))
    Bracket(lower=1.0, upper=1.0, gap=0.0, dual_set=[False, False])
    """

    lower: Fraction
    """Some coupling accepts this often; where a plan exceeds a marginal, it is scaled down first."""
    upper: Fraction
    """This is q(A) + 1 - P(set(X) in A), which no acceptance exceeds."""
    dual_set: NDArray[np.bool_]
    """Membership in the set A has shape (V,)."""

    @property
    def gap(self) -> Fraction:
        """Upper minus lower bound, never negative."""
        return self.upper - self.lower

    @property
    def is_proof(self) -> bool:
        """Whether the instance is settled: both bounds are one number."""
        return self.gap == 0

    def __repr__(self) -> str:
        return one_line(self, "lower", "upper", "gap", "dual_set")

    def _repr_html_(self) -> str:
        return html_record(self, "lower", "upper", "gap", "dual_set")


def bracket(drafts: DraftSets, target: ArrayLike, plan: MembershipPlan) -> Bracket:
    """Check a plan in exact rational arithmetic, whoever made it and however precisely.

    The flows are taken as the rational numbers that their floats are. The dual program is that of a minimum cut, which
    has an optimum with prices of 0 and 1 alone; A holds the tokens with prices above a half.

    Parameters
    ----------
    drafts : DraftSets
        Constructed with ``exact=True``; with float masses, the bracket is of the law with those masses.
    target : array_like, shape (V,)
    plan : MembershipPlan
        For the same drafts, say from :func:`specproof.theory.transport.membership_lp.optimal_plan`.

    Raises
    ------
    InvalidInput
        If the drafts are no DraftSets, the target is not one distribution over their vocabulary, or the plan is not
        one over their sets.

    Examples
    --------
    >>> from specproof import DraftSets, bracket, optimal_plan
    >>> drafts = DraftSets.iid([0.5, 0.5], 2, exact=True)
    >>> bracket(drafts, [0.25, 0.75], optimal_plan(drafts, [0.25, 0.75])).is_proof
    True
    """
    law = as_fractions(target_of(drafts, target))
    if not isinstance(plan, MembershipPlan):
        raise InvalidInput(f"plan is a {type(plan).__name__}: give what optimal_plan returns for these drafts")
    if plan.sets != drafts.sets:
        raise InvalidInput("plan is not over the sets of these drafts: solve it for the drafts it is checked against")
    dual_set = plan.dual_tokens > 0.5
    escaping = sum(
        (
            Fraction(mass)
            for drawn, mass in zip(drafts.sets, drafts.masses, strict=True)
            if not dual_set[list(drawn)].all()
        ),
        Fraction(0),
    )
    upper = sum((law[token] for token in np.flatnonzero(dual_set)), escaping)
    return Bracket(_achieved(drafts, law, plan), upper, dual_set)


def _achieved(drafts: DraftSets, target: Sequence[Fraction], plan: MembershipPlan) -> Fraction:
    """Acceptance of the plan once each set, and then each token, is scaled down to what it has."""
    emitted = [Fraction(0)] * len(target)
    for row, mass in enumerate(drafts.masses):
        entries = slice(plan.plan.indptr[row], plan.plan.indptr[row + 1])
        tokens = plan.plan.indices[entries].tolist()
        flows = [max(Fraction(float(flow)), Fraction(0)) for flow in plan.plan.data[entries]]
        used = sum(flows, Fraction(0))
        scale = Fraction(mass) / used if used > mass else Fraction(1)
        for token, flow in zip(tokens, flows, strict=True):
            emitted[token] += flow * scale
    return sum((min(flow, available) for flow, available in zip(emitted, target, strict=True)), Fraction(0))
