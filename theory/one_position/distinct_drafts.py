r"""Distinct drafts, drawn without replacement: what recursive rejection accepts, and the optimum.

*Two drafts* need no histories. With :math:`r = [q - p]_+` and :math:`R = |r|`, draft x is rejected with probability
:math:`[p_x - q_x]_+`, and the second, of the law :math:`c\,p_y` with :math:`c = 1/(1 - p_x)` over :math:`y \ne x`, is
accepted with probability :math:`f(c) = \sum_y \min(c\,p_y, r_y / R)`, where :math:`r_x = 0` as x was rejected. All the
values of f come from one sort by r/p.
"""

from __future__ import annotations

import numpy as np

from specproof.theory.distribution import Array
from specproof.theory.one_position.draftable import MOST_SORTED, of_draftable, overlap, refuse_dear, with_others
from specproof.theory.one_position.registry import OnePositionRule, register_one_position_rule
from specproof.theory.transport import optimal_acceptance_without_replacement
from specproof.theory.verifiers.recursive_without_replacement import recursive_rejection_without_replacement

MOST_TOKENS_TIMES_DRAFTS = 2**15
"""The optimum is computed of rows where the tokens that can be drafted, times the drafts, are at most so many."""

MOST_FOLLOWED = 2**7
"""Recursive rejection of three drafts or more is computed of at most so many tokens that can be drafted."""


def recursive_distinct_acceptance(draft: Array, target: Array, num_drafts: int) -> Array:
    """What recursive rejection of distinct drafts accepts, shape (...); of three or more drafts for few tokens.

    Raises
    ------
    InvalidInput
        If the histories of rejected drafts are too many.

    Examples
    --------
    >>> float(recursive_distinct_acceptance(np.array([0.5, 0.25, 0.25]), np.array([0.0, 0.5, 0.5]), 2))
    1.0
    """
    return of_draftable(_recursive_distinct, draft, target, num_drafts)


def optimal_distinct_acceptance(draft: Array, target: Array, num_drafts: int) -> Array:
    """The optimum of distinct drafts, shape (...), of few tokens that can be drafted.

    Raises
    ------
    InvalidInput
        If they are more than ``MOST_TOKENS_TIMES_DRAFTS`` allows.

    Examples
    --------
    >>> round(float(optimal_distinct_acceptance(np.array([0.5, 0.25, 0.25]), np.array([0.0, 0.0, 1.0]), 2)), 9)
    0.583333333
    """
    return of_draftable(_optimal_distinct, draft, target, num_drafts)


def _recursive_distinct(draft: Array, target: Array, num_drafts: int) -> float:
    if num_drafts == 1:
        return float(overlap(draft, target))
    if num_drafts == 2:
        refuse_dear(draft.size, num_drafts, MOST_SORTED)
        return _two_distinct(draft, target)
    refuse_dear(draft.size, num_drafts, MOST_FOLLOWED)
    laws = with_others(draft, target)
    return float(recursive_rejection_without_replacement(*laws, num_drafts).acceptance)


def _optimal_distinct(draft: Array, target: Array, num_drafts: int) -> float:
    if num_drafts == 1:
        return float(overlap(draft, target))
    if num_drafts == draft.size:  # all are drafted
        return min(float(target.sum()), 1.0)
    refuse_dear(draft.size, num_drafts, MOST_TOKENS_TIMES_DRAFTS // num_drafts)
    laws = with_others(draft, target)
    return float(optimal_acceptance_without_replacement(*laws, num_drafts))


def _two_distinct(draft: Array, target: Array) -> float:
    """The acceptance of two drafts, see the module; at least two tokens can be drafted."""
    residual = np.maximum(target - draft, 0.0)
    total, refused = residual.sum() + max(1.0 - target.sum(), 0.0), np.flatnonzero(draft > target)
    left = np.flatnonzero(residual)
    if refused.size == 0 or left.size == 0:
        return float(overlap(draft, target))
    ratio = residual[left] / draft[left]
    order = np.argsort(ratio)
    ratio, left = ratio[order], left[order]
    below = np.concatenate(([0.0], np.cumsum(residual[left])))
    above = np.concatenate((np.cumsum(draft[left][::-1])[::-1], [0.0]))
    likeliest = int(np.argmax(draft))
    others = 1.0 - draft
    others[likeliest] = draft[:likeliest].sum() + draft[likeliest + 1 :].sum()  # which 1 - p may have lost
    factor = 1.0 / others[refused]
    split = np.searchsorted(ratio, factor * total, side="right")
    second = below[split] / total + factor * above[split]
    return min(float(np.minimum(draft, target).sum() + (draft - target)[refused] @ second), 1.0)


for _rule in (
    OnePositionRule(
        "recursive_distinct",
        "recursive rejection, distinct drafts",
        "Jeon et al. 2024, arXiv 2402.14160; Chen et al. 2024, Sequoia, arXiv 2402.12374",
        "distinct",
        recursive_distinct_acceptance,
        note="traversal verification of distinct siblings is this rule",
    ),
    OnePositionRule(
        "optimal_distinct",
        "optimum, distinct drafts",
        "Hu et al. 2025, arXiv 2502.18779",
        "distinct",
        optimal_distinct_acceptance,
    ),
):
    register_one_position_rule(_rule)
