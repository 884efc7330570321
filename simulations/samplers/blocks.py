"""Block verification: the sampler whose law is :mod:`specproof.theory.blocks` (Sun et al. 2024, arXiv 2403.10444)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.rejections import paired_steps
from specproof.simulations.samplers.selection import or_target
from specproof.simulations.samplers.sequences import Blocks
from specproof.theory.chain import MarkovChain, check_same_size
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

Residual = Callable[[Array, Array, Array], Array]
"""``residual(weight, draft, target)``: what follows an accepted part, unnormalised, for rows of shape (B, V)."""


def block_residual(weight: Array, draft: Array, target: Array) -> Array:
    """[w q - p]+, from which block verification draws, for weights of shape (B, 1)."""
    return np.maximum(weight * target - draft, 0.0)


def verify_block(
    draft: Array, target: Array, drafts: NDArray[np.int64], uniforms: Array, residual: Residual = block_residual
) -> Blocks:
    """Accept the longest part of each block that its uniforms allow, and emit one token after it.

    Parameters
    ----------
    draft : array, shape (B, L, V)
        The laws that the drafts were drawn from. Trusted to be distributions, as those of the target are.
    target : array, shape (B, L + 1, V)
    drafts : array of int64, shape (B, L)
        Drafted tokens, trusted to have positive probability under the draft.
    uniforms : array, shape (B, L + 1)
        Independent numbers in [0, 1): number l decides whether l drafts are accepted, and the last inverts the law of
        the token after them.
    residual : callable, optional
        What the token after a part of the block is drawn from; another than the rule's own makes a broken control.

    Examples
    --------
    >>> rows = np.full((1, 2, 2), 0.5)
    >>> verify_block(rows[:, :1], rows, np.array([[0]]), np.array([[0.9, 0.6]])).tokens.tolist()
    [[0, 1]]
    """
    trials, length = drafts.shape
    weight, kept = np.ones(trials), np.ones(trials)
    accepted = np.zeros(trials, dtype=np.int64)
    for level in range(1, length + 1):
        chosen = drafts[:, level - 1, np.newaxis]
        given, wanted = (np.take_along_axis(rows[:, level - 1], chosen, axis=-1)[:, 0] for rows in (draft, target))
        weight = np.minimum(given, weight * wanted) / given
        chance = weight
        if level < length:
            left = block_residual(weight[:, np.newaxis], draft[:, level], target[:, level]).sum(axis=-1)
            ended = left + 1.0 - weight
            chance = np.divide(left, ended, out=np.ones(trials), where=ended > 0)
        longer = uniforms[:, level - 1] < chance
        accepted, kept = np.where(longer, level, accepted), np.where(longer, weight, kept)
    rows = np.arange(trials)
    law, proposal = target[rows, accepted], draft[rows, np.minimum(accepted, length - 1)]
    after = or_target(residual(kept[:, np.newaxis], proposal, law), law)
    last = invert(np.where(accepted[:, np.newaxis] < length, after, law), uniforms[:, -1])
    places = np.arange(length + 1)
    tokens = np.where(places < accepted[:, np.newaxis], np.pad(drafts, ((0, 0), (0, 1))), -1)
    tokens[rows, accepted] = last
    return Blocks(tokens, accepted)


def simulate_blocks(
    draft: MarkovChain,
    target: MarkovChain,
    length: int,
    trials: int,
    rng: np.random.Generator,
    residual: Residual = block_residual,
) -> Blocks:
    """Draft one sequence of L tokens from the start of a chain and verify it as a block, many times over.

    Parameters
    ----------
    draft, target : MarkovChain
        Of one size and horizon, at least L + 1.
    length, trials : int
        L and the number of independent blocks, each >= 1.
    rng : numpy Generator
    residual : callable, optional
        As of :func:`verify_block`.

    Raises
    ------
    InvalidInput
        If the two are not Markov chains or differ in size or horizon, L or trials is not an integer >= 1, or L is not
        below the horizon.
    """
    check_same_size(draft, target, MarkovChain)
    length, trials = positive_integer(length, "length"), positive_integer(trials, "trials")
    if length >= target.horizon:
        raise InvalidInput(f"length is {length!r}: it must lie in 1..horizon - 1 = {target.horizon - 1}")
    proposal, law = paired_steps(draft, target)
    drafts = np.zeros((trials, length + 1), dtype=np.int64)  # with a column for what stands before the block
    ours, theirs = [], []
    for level in range(length + 1):
        step, last = min(level, law.shape[0] - 1), drafts[:, level]
        ours.append(proposal[step][last])
        theirs.append(law[step][last])
        if level < length:
            drafts[:, level + 1] = invert(ours[-1], rng.random(trials))
    uniforms = rng.random((trials, length + 1))
    return verify_block(np.stack(ours[:-1], axis=1), np.stack(theirs, axis=1), drafts[:, 1:], uniforms, residual)
