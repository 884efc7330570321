"""The sampler whose law is :mod:`specproof.theory.verifiers.recursive_without_replacement`."""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

import specproof.theory.distribution as distribution
from specproof.simulations.samplers.distinct import refuse_many
from specproof.simulations.samplers.inversion import AnyArray, gather, invert_once
from specproof.simulations.samplers.selection import Selection, checked_namespace, or_target, replace_rejected
from specproof.theory.compiled import compiled
from specproof.theory.integers import positive_integer
from specproof.theory.transport.draft_sets import check_support


def verify(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
    r"""Try distinct drafts in turn, each against what those before it have left of the draft law and of the target.

    Draft m is accepted with probability min(1, q^m/p^m); if it is not, p^{m+1} is p^m without it, renormalised, and
    :math:`q^{m+1} \propto [q^m - p^m]_+`. If all k fail, the token comes from q^{k+1}. (Jeon et al. 2024.)

    Parameters
    ----------
    draft, target : array, shape (V,) or (..., V)
        The law the drafts were drawn from, and the law to emit. Trusted to be distributions.
    drafts : array of int64, shape (..., k)
        The drafted tokens, trusted to be drawn from ``draft`` without replacement, as by
        :func:`specproof.simulations.samplers.distinct.draw_distinct`.
    uniforms : array, shape (..., k + 1)
        Independent numbers in [0, 1): one to accept each draft, and the one that inverts q^{k+1}.

    Raises
    ------
    InvalidInput
        If the shapes or kinds of the arrays do not go together, or there are more drafts than tokens.
    """
    xp = checked_namespace(draft, target, drafts, uniforms)
    refuse_many(drafts.shape[-1], draft.shape[-1])
    rows = (*drafts.shape[:-1], draft.shape[-1])
    left, proposed = xp.broadcast_to(target, rows), xp.broadcast_to(draft, rows)
    accepted = xp.full(drafts.shape[:-1], -1, dtype=xp.int64, device=drafts.device)
    for index in range(drafts.shape[-1]):
        token = drafts[..., index : index + 1]
        passed = (uniforms[..., index : index + 1] * gather(proposed, token) < gather(left, token))[..., 0]
        accepted = xp.where(passed & (accepted < 0), index, accepted)
        smaller = xp.clip(left - proposed, min=0.0)
        proposed = _without(proposed, token, xp.sum(smaller, axis=-1, keepdims=True))
        left = smaller
    tokens = xp.take_along_axis(drafts, xp.clip(accepted, min=0)[..., None], axis=-1)[..., 0]
    emitted = replace_rejected(tokens, accepted >= 0, or_target(left, xp.broadcast_to(target, rows)), uniforms[..., -1])
    return Selection(emitted, accepted)


def _without(proposed: AnyArray, token: AnyArray, mass: AnyArray) -> AnyArray:
    """Take one token a row out of the draft's law and scale the rest to ``mass``; all zeros if there is no rest."""
    xp = array_namespace(proposed, token, mass)
    vocabulary = xp.arange(proposed.shape[-1], device=proposed.device)
    rest = xp.where(vocabulary == token, 0.0, proposed)
    total = xp.sum(rest, axis=-1, keepdims=True)
    return rest / xp.where(total > 0, total, 1.0) * mass


def simulate(
    draft: distribution.Array,
    target: distribution.Array,
    num_drafts: int,
    trials: int,
    rng: np.random.Generator,
) -> Selection:
    """Run independent trials of one pair of shape (V,), drafts included: the same rule, compiled.

    Raises
    ------
    InvalidInput
        If k exceeds the number of tokens that can be drafted, or trials is not an integer >= 1.
    """
    check_support(draft, num_drafts)
    tokens, accepted = np.empty((2, positive_integer(trials, "trials")), dtype=np.int64)
    _run(draft, target, num_drafts, tokens, accepted, rng)
    return Selection(tokens, accepted)


def estimate_acceptance(
    draft: distribution.Array, target: distribution.Array, num_drafts: int, rng: np.random.Generator
) -> distribution.Array:
    r"""Unbiased estimates of the acceptance with 1..k drafts, one run for each row, at any vocabulary size.

    All drafts fail with probability :math:`TV(q^1, p^1)\, E[TV(q^2, p^2)\, E[...]]`, where :math:`x_m` given the past
    has the law of a rejected draft, :math:`\propto [p^m - q^m]_+`. Those are drawn and the uniforms are not, so that
    the acceptance of one draft has no error at all.

    Parameters
    ----------
    draft, target : array, shape (..., V)
        Trusted to be distributions.
    num_drafts : int
    rng : numpy Generator

    Returns
    -------
    array, shape (..., k)

    Raises
    ------
    InvalidInput
        If k exceeds the number of tokens that can be drafted.
    """
    check_support(draft, num_drafts)
    acceptances = np.empty((*draft.shape[:-1], num_drafts))
    for row in np.ndindex(draft.shape[:-1]):
        _reject_all(draft[row].copy(), target[row].copy(), rng.random(num_drafts), acceptances[row])
    return acceptances


def accepted_at_distinct(
    draft: distribution.Array,
    target: distribution.Array,
    tokens: NDArray[np.int64],
    num_drafts: int,
    rng: np.random.Generator,
) -> distribution.Array:
    r"""Unbiased estimates of the probability that one of 1..k distinct drafts is accepted and is a given token.

    It is :math:`\sum_{m \le k} E[\min(p^m, q^m) \prod_{l < m} TV(q^l, p^l)]` at the token, over the drafts of a run in
    which all are rejected, as in :func:`estimate_acceptance`: one run is drawn for each row.

    Parameters
    ----------
    draft, target : array, shape (..., V)
        Trusted to be distributions.
    tokens : array of int64, shape (...)
        The token of each row.
    num_drafts : int
        k; rows in which fewer tokens can be drafted draft all of these.
    rng : numpy Generator

    Returns
    -------
    array, shape (..., k)
        The last axis counts the drafts from 1; it rises, and one draft has no error.
    """
    accepted = np.empty((*draft.shape[:-1], num_drafts))
    for row in np.ndindex(draft.shape[:-1]):
        _accept_at(draft[row].copy(), target[row].copy(), int(tokens[row]), rng.random(num_drafts), accepted[row])
    return accepted


@compiled()
def _reject_all(
    weights: distribution.Array, left: distribution.Array, uniforms: distribution.Array, acceptances: distribution.Array
) -> None:
    """Follow one run in which every draft is rejected; ``weights`` and ``left`` are used up.

    Not normalised, the residual has the product of the distances so far for its mass.
    """
    scale = 1.0
    for index in range(uniforms.size):
        mass = _reject_one(weights, left, scale, uniforms[index])
        acceptances[index] = 1.0 - min(mass, 1.0)
        total = weights.sum()
        scale = mass / total if total > 0.0 else 0.0


@compiled()
def _accept_at(
    weights: distribution.Array,
    left: distribution.Array,
    token: int,
    uniforms: distribution.Array,
    accepted: distribution.Array,
) -> None:
    """Follow such a run and add up what each draft has of being the token and accepted."""
    scale, taken = 1.0, 0.0
    for index in range(uniforms.size):
        taken += min(scale * weights[token], left[token])
        accepted[index] = taken
        mass = _reject_one(weights, left, scale, uniforms[index])
        total = weights.sum()
        scale = mass / total if total > 0.0 else 0.0  # where all have been drafted there is no further one


@compiled()
def _reject_one(weights: distribution.Array, left: distribution.Array, scale: float, uniform: float) -> float:
    """Reject a draft of law ``scale * weights``, take it out of the weights, and return the residual's mass."""
    kept, over = 0.0, 0.0
    for token in range(left.size):
        gap = left[token] - scale * weights[token]
        kept += max(gap, 0.0)
        over += max(-gap, 0.0)
    quantile, reached, rejected = uniform * over, 0.0, -1
    for token in range(left.size):
        gap = left[token] - scale * weights[token]
        if gap < 0.0 and reached <= quantile:
            reached -= gap
            rejected = token
        left[token] = max(gap, 0.0)
    if rejected >= 0:  # else all is accepted, and nothing is left
        weights[rejected] = 0.0
    return kept


@compiled()
def _run(
    draft: distribution.Array,
    target: distribution.Array,
    num_drafts: int,
    tokens: NDArray[np.int64],
    accepted: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    left, weights = np.empty_like(target), np.empty_like(draft)
    for trial in range(tokens.size):
        left[:], weights[:] = target, draft
        accepted[trial], mass = -1, 1.0
        for index in range(num_drafts):
            token = invert_once(weights, rng.random())
            scale = mass / weights.sum()
            if rng.random() * scale * weights[token] < left[token]:
                tokens[trial], accepted[trial] = token, index
                break
            left[:] = np.maximum(left - scale * weights, 0.0)
            mass, weights[token] = left.sum(), 0.0
        if accepted[trial] < 0:
            tokens[trial] = invert_once(left if mass > 0.0 else target, rng.random())
