"""A transport plan with its prices: two points of a linear program that bound each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from specproof.theory.display import html_record, one_line
from specproof.theory.distribution import Array
from specproof.theory.transport.draft_sets import DraftSets


@dataclass(frozen=True, eq=False, repr=False)
class MembershipPlan:
    """An optimal coupling of the drafts with the target, from the linear program.

    Attributes
    ----------
    acceptance : float
        The plan achieves this probability P(Y in set(X)), which is the optimum.
    sets : tuple of tuples
        There are S possible sets of drafted tokens, of at most k distinct ones each.
    set_probability : array, shape (S,)
        The drafted tokens are sets[s] with this probability.
    plan : sparse array, shape (S, V)
        Entry [s, y] is the probability of drafting sets[s] and emitting y in sets[s]; rejections are left out.
    dual_sets, dual_tokens : arrays, shapes (S,) and (V,)
        The dual point consists of non-negative prices with dual_sets[s] + dual_tokens[y] >= 1 wherever y is in sets[s].
    gap : float
        The gap is the dual value minus the primal value. Both points are feasible up to rounding, whatever the solver's
        tolerance, so the optimum lies within the gap above ``acceptance``.
    status : str
        The solver reports "optimal".

    Examples
    --------
    >>> from specproof import DraftSets, optimal_plan
    >>> plan = optimal_plan(DraftSets.iid([0.5, 0.5], 2), [0.25, 0.75])
    >>> round(plan.acceptance, 9)
    1.0
    """

    acceptance: float
    sets: tuple[tuple[int, ...], ...]
    set_probability: Array
    plan: sp.csr_array
    dual_sets: Array
    dual_tokens: Array
    gap: float
    status: str

    __repr__ = one_line
    _repr_html_ = html_record


def feasible_plan(drafts: DraftSets, target: Array, flow: Array, prices: Array, status: str) -> MembershipPlan:
    """Make a solver's two points feasible and compare their values.

    Parameters
    ----------
    drafts : DraftSets
    target : array, shape (V,)
    flow : array, shape (number of pairs,)
        The primal point, in the order of ``drafts.membership.indices``; scaled down where a marginal is exceeded.
    prices : array, shape (V,)
        The dual point's part for the tokens; the sets' cheapest prices that go with it are computed from it.
    status : str
    """
    member = drafts.membership
    mass = np.maximum(flow, 0.0)
    # Every set holds a token, so that no segment is empty.
    within_sets = _shrink(np.add.reduceat(mass, member.indptr[:-1]), drafts.probability)
    mass = mass * np.repeat(within_sets, np.diff(member.indptr))
    emitted = np.bincount(member.indices, mass, target.size).astype(np.float64)
    mass = mass * _shrink(emitted, target)[member.indices]
    plan = sp.csr_array((mass, member.indices, member.indptr), shape=member.shape, copy=True)
    dual_tokens = np.clip(prices, 0.0, 1.0)
    dual_sets = np.maximum.reduceat(1.0 - dual_tokens[member.indices], member.indptr[:-1])
    acceptance = float(mass.sum())
    dual_value = float(dual_sets @ drafts.probability + dual_tokens @ target)
    return MembershipPlan(
        acceptance,
        drafts.sets,
        drafts.probability,
        plan,
        dual_sets,
        dual_tokens,
        dual_value - acceptance,
        status,
    )


def _shrink(used: Array, available: Array) -> Array:
    """Factor at most 1 that takes each sum down to what there is."""
    return np.divide(available, used, out=np.ones_like(used), where=used > available)
