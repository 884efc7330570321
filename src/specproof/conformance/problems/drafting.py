"""How several drafts of one position are drawn: independently, without replacement, or some of them for certain."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from specproof.conformance.problems.drawing import Tokens
from specproof.simulations.samplers.inversion import invert
from specproof.theory.distribution import Array
from specproof.theory.transport import optimal_acceptance
from specproof.theory.transport.without_replacement import optimal_acceptance_without_replacement


class Drafting(StrEnum):
    """How k drafts were drawn from the draft law.

    Examples
    --------
    >>> from specproof.conformance import Drafting
    >>> Drafting("top") is Drafting.TOP, [str(drawn) for drawn in Drafting]
    (True, ['iid', 'distinct', 'certain', 'top'])
    """

    IID = "iid"
    """They are independent, so that some may be equal."""
    DISTINCT = "distinct"
    """They are drawn one after the other without replacement."""
    CERTAIN = "certain"
    """They are the k likeliest tokens, the likeliest first."""
    TOP = "top"
    """They are the k - 1 likeliest tokens, the likeliest first, and one drawn from the others."""


def law_of_next(drafting: Drafting, draft: Array, before: Tokens, num_drafts: int) -> Array:
    """Give the law of the draft that follows some others.

    Parameters
    ----------
    drafting : Drafting
    draft : array, shape (n, V)
    before : array of int, shape (n, j)
        The first j of the k drafts.
    num_drafts : int
        k > j.

    Returns
    -------
    array, shape (n, V)
        Where the draft law has no other token, any other will do.

    Examples
    --------
    >>> law_of_next(Drafting.DISTINCT, np.array([[0.5, 0.25, 0.25]]), np.array([[0]]), 2)
    array([[0. , 0.5, 0.5]])
    """
    place = before.shape[1]
    if drafting is Drafting.CERTAIN or (drafting is Drafting.TOP and place < num_drafts - 1):
        chosen: Array = np.eye(draft.shape[1])[np.argsort(-draft, axis=1, kind="stable")[:, place]]
        return chosen
    if drafting is Drafting.IID or not place:
        return draft
    new = np.ones(draft.shape)
    np.put_along_axis(new, before, 0.0, axis=1)
    left = draft * new
    left = np.where(left.sum(axis=1, keepdims=True) > 0, left, new)
    law: Array = left / left.sum(axis=1, keepdims=True)
    return law


def draw_drafts(drafting: Drafting, draft: Array, trials: int, num_drafts: int, rng: np.random.Generator) -> Tokens:
    """Draw n times k drafts from a draft law of shape (V,), shape (n, k)."""
    if drafting is Drafting.IID:
        independent: Tokens = invert(draft, rng.random((trials, num_drafts)))
        return independent
    rows, drafts = np.broadcast_to(draft, (trials, draft.size)), np.empty((trials, 0), dtype=np.int64)
    for _ in range(num_drafts):
        drawn = invert(law_of_next(drafting, rows, drafts, num_drafts), rng.random(trials))
        drafts = np.concatenate([drafts, drawn[:, np.newaxis]], axis=1)
    return drafts


def chance_of(drafting: Drafting, draft: Array, drafts: Tokens) -> Array:
    """Give the probability of drafts (n, k) whose draft laws are the rows of shape (n, V); shape (n,)."""
    chance = np.ones(len(drafts))
    for place in range(drafts.shape[1]):
        law = law_of_next(drafting, draft, drafts[:, :place], drafts.shape[1])
        chance *= np.take_along_axis(law, drafts[:, place, np.newaxis], axis=1)[:, 0]
    return chance


def largest_acceptance(drafting: Drafting, draft: Array, target: Array, num_drafts: int) -> float:
    r"""Give the largest probability with which a lossless verifier emits a draft: the optimal transport value.

    With the k - 1 likeliest tokens T among the drafts and one drawn from the law p' of the others it is
    :math:`q(T) + \sum_{x \notin T} \min(p'(x), q(x))`: what is left of the drafts has room for all of q(T).
    """
    if drafting is Drafting.IID:
        return float(optimal_acceptance(draft, target, num_drafts))
    order = np.argsort(-draft, kind="stable")
    if drafting is Drafting.CERTAIN:
        return min(float(target[order[:num_drafts]].sum()), 1.0)
    if drafting is Drafting.TOP:
        last = law_of_next(drafting, draft[np.newaxis], order[np.newaxis, : num_drafts - 1], num_drafts)[0]
        return min(float(target[order[: num_drafts - 1]].sum() + np.minimum(last, target)[last > 0].sum()), 1.0)
    if np.count_nonzero(draft) < num_drafts:
        return 1.0
    return float(optimal_acceptance_without_replacement(draft, target, num_drafts))
