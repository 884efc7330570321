r"""Drafts that are certain, or all but one of them: likeliest tokens, top (k-1) plus one draw, and SpecHub's pair.

With certain drafts T no rule accepts more than :math:`q(T)`, and the target's own draw does. With one more draw, of the
law :math:`p_T` of the draft given that none of T comes, it is :math:`q(T) + \sum_{x \notin T} \min(p_T(x), q(x))`.

SpecHub's pair of drafts, the likeliest token a and another, has as a set the law of top (k-1) plus one draw for k = 2:
token i with probability :math:`p(i) + p(a) p(i) / (1 - p(a)) = p(i) / (1 - p(a))`. So they have one optimum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.one_position.registry import register_tree_rule


def likeliest(draft: Array, count: int) -> NDArray[np.bool_]:
    """Whether each token is among the likeliest that can be drafted; of equals those with the smaller numbers.

    Examples
    --------
    >>> likeliest(np.array([0.25, 0.5, 0.25]), 2).tolist()
    [True, True, False]
    """
    if count < 1:
        return np.zeros(draft.shape, dtype=np.bool_)
    if count >= draft.shape[-1]:
        return draft > 0
    least = np.partition(draft, -count, axis=-1)[..., -count, np.newaxis]
    equal, chosen = draft == least, draft > least
    places = np.cumsum(equal, axis=-1) + np.count_nonzero(chosen, axis=-1)[..., np.newaxis]
    found: NDArray[np.bool_] = (chosen | (equal & (places <= count))) & (draft > 0)
    return found


def top_acceptance(draft: Array, target: Array, num_drafts: int) -> Array:
    """The target's probability of the k likeliest tokens, shape (...).

    Examples
    --------
    >>> float(top_acceptance(np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.5, 0.25]), 2))
    0.75
    """
    accepted: Array = np.minimum(target.sum(axis=-1, where=likeliest(draft, num_drafts)), 1.0)
    return accepted


def argmax_only_acceptance(draft: Array, target: Array, _: int) -> Array:
    """The target's probability of the likeliest token, however many could be drafted, shape (...).

    Examples
    --------
    >>> float(argmax_only_acceptance(np.array([0.75, 0.25]), np.array([0.5, 0.5]), 3))
    0.5
    """
    return top_acceptance(draft, target, 1)


def top_and_one_acceptance(draft: Array, target: Array, num_drafts: int) -> Array:
    """What is accepted of the k - 1 likeliest tokens and a draw from the others, see the module; shape (...).

    Examples
    --------
    >>> float(top_and_one_acceptance(np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5]), 2))
    0.75
    """
    certain = likeliest(draft, num_drafts - 1)
    proposal = normalise_or_zero(np.where(certain, 0.0, draft))
    accepted: Array = np.where(certain, target, np.minimum(proposal, target)).sum(axis=-1)
    return np.minimum(accepted, 1.0)


def hub_acceptance(draft: Array, target: Array, _: int) -> Array:
    """What SpecHub accepts of its pair of drafts, see :func:`specproof.theory.trees.rules.levels.hub`; shape (...).

    Examples
    --------
    >>> float(hub_acceptance(np.array([0.75, 0.25]), np.array([0.5, 0.5]), 2))
    1.0
    """
    centre = likeliest(draft, 1)
    wanted, first = target.sum(axis=-1, where=centre), np.where(centre, 0.0, draft)
    second = draft.sum(axis=-1, where=centre)[..., np.newaxis] * normalise_or_zero(first)
    taken = np.minimum(first + second, target).sum(axis=-1, where=~centre)
    refused = np.maximum(first + second - target, 0.0).sum(axis=-1, where=~centre)
    alone = ~first.any(axis=-1)  # no other token can be drafted
    accepted: Array = taken + np.where(alone, wanted, np.minimum(wanted, refused))
    return np.minimum(accepted, 1.0)


register_tree_rule("target-walk", "likeliest", top_acceptance)
register_tree_rule("argmax", "greedy", argmax_only_acceptance)
register_tree_rule("top-and-one", "top-and-one", top_and_one_acceptance)
register_tree_rule("spechub", "hub", hub_acceptance)
