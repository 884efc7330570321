"""Rules for i.i.d. drafts of one position that are no selection of one draft by its law: what each accepts."""

from __future__ import annotations

import numpy as np

from specproof.theory.distribution import Array
from specproof.theory.drafts import hit_probability
from specproof.theory.one_position.draftable import MOST_SORTED, of_draftable, overlap, refuse_dear
from specproof.theory.one_position.registry import OnePositionRule, register_one_position_rule, register_tree_rule
from specproof.theory.transport import optimal_acceptance


def any_match_acceptance(draft: Array, target: Array, num_drafts: int) -> Array:
    r"""The target draws for itself, and its token is among the drafts: :math:`\sum_i q_i (1 - (1 - p_i)^k)`.

    Examples
    --------
    >>> float(any_match_acceptance(np.array([0.5, 0.5]), np.array([0.25, 0.75]), 2))
    0.75
    """
    matched: Array = (target * hit_probability(draft, num_drafts)).sum(axis=-1)
    return matched


def best_draft_acceptance(draft: Array, target: Array, num_drafts: int) -> Array:
    r"""The draft of the greatest q/p meets the ratio test with the law of the best: :math:`\sum_i \min(p^*_i, q_i)`.

    With F the draft's probability of a token and all worse ones, and m its own, :math:`p^* = F^k - (F - m)^k`, taken as
    :math:`F^k (1 - (1 - m/F)^k)` so that a small m keeps its digits. Of equal ratios the smaller token is better.

    Raises
    ------
    InvalidInput
        If there are two drafts or more, and more than ``MOST_SORTED`` tokens can be drafted.

    Examples
    --------
    >>> float(best_draft_acceptance(np.array([0.5, 0.5]), np.array([0.25, 0.75]), 2))
    1.0
    """

    def of_row(p: Array, q: Array, _: int) -> float:
        if num_drafts == 1:
            return float(overlap(p, q))
        refuse_dear(p.size, num_drafts, MOST_SORTED)
        order = p.size - 1 - np.argsort((q / p)[::-1], kind="stable")
        reached = np.minimum(np.cumsum(p[order]), 1.0)
        best = reached ** float(num_drafts) * hit_probability(p[order] / reached, num_drafts)
        return min(float(np.minimum(best, q[order]).sum()), 1.0)

    return of_draftable(of_row, draft, target, num_drafts)


def multi_block_acceptance(draft: Array, target: Array, num_drafts: int) -> Array:
    r"""SpecTr-GBV as its code states it: drafts are tried in turn with one chance each, :math:`1 - (1 - \sum p h)^k`.

    The chance of a token is :math:`h = q (1 - (1 - \min(1, p/q))^k) / (1 - (1 - p)^k)`, at most 1.

    Examples
    --------
    >>> float(multi_block_acceptance(np.array([0.5, 0.5]), np.array([0.25, 0.75]), 1))
    0.75
    """
    if num_drafts == 1:  # h = min(1, q/p)
        return overlap(draft, target)
    ratio = np.divide(draft, target, out=np.ones(target.shape), where=draft < target)
    met, drafted = target * hit_probability(ratio, num_drafts), hit_probability(draft, num_drafts)
    chance = np.divide(met, drafted, out=np.ones(target.shape), where=met < drafted)
    return hit_probability((draft * chance).sum(axis=-1), num_drafts)


register_tree_rule("exact-match", "iid", any_match_acceptance, "the target's own draw, kept if it was drafted")
register_tree_rule("best-path", "iid", best_draft_acceptance)
register_tree_rule(
    "canonical", "iid", optimal_acceptance, "with its best weights, which a linear program finds for few tokens"
)
register_tree_rule("spectr-gbv", "iid", multi_block_acceptance, "one call does not emit the target's law")
register_one_position_rule(
    OnePositionRule(
        "optimal", "optimum, independent drafts", "Hu et al. 2025, arXiv 2502.18779", "iid", optimal_acceptance
    )
)
