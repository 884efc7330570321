"""Block verification of sequences that a chain drafts, call by call: the law is :mod:`specproof.theory.blocks`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.rejections import paired_steps
from specproof.simulations.samplers.sequences import Blocks
from specproof.simulations.samplers.whole_blocks import Block, verify
from specproof.theory.chain import MarkovChain, check_same_size
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

BlockSampler = Callable[[Array, Array, NDArray[np.int64], Array], Block]
"""``verify(draft, target, drafts, uniforms)``, as :func:`specproof.simulations.samplers.whole_blocks.verify`."""


def laid_out(drafts: NDArray[np.int64], block: Block) -> Blocks:
    """Write out what is emitted: the drafts that were kept, shape (B, L), and the token after them.

    Examples
    --------
    >>> laid_out(np.array([[4, 5], [6, 7]]), Block(np.array([0, 2]), np.array([8, 9]))).tokens.tolist()
    [[8, -1, -1], [6, 7, 9]]
    """
    trials, length = drafts.shape
    places = np.arange(length + 1)
    tokens = np.where(places < block.accepted[:, np.newaxis], np.pad(drafts, ((0, 0), (0, 1))), -1)
    tokens[np.arange(trials), block.accepted] = block.tokens
    return Blocks(tokens, block.accepted)


def simulate_blocks(
    draft: MarkovChain,
    target: MarkovChain,
    length: int,
    trials: int,
    rng: np.random.Generator,
    sampler: BlockSampler = verify,
) -> Blocks:
    """Draft one sequence of L tokens from the start of a chain and verify it as a block, many times over.

    Parameters
    ----------
    draft, target : MarkovChain
        Of one size and horizon, at least L + 1.
    length, trials : int
        L and the number of independent blocks, each >= 1.
    rng : numpy Generator
    sampler : callable, optional
        What verifies the blocks; another than the rule's own makes a broken control.

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
    drafted = np.ascontiguousarray(drafts[:, 1:])
    return laid_out(drafted, sampler(np.stack(ours[:-1], axis=1), np.stack(theirs, axis=1), drafted, uniforms))
