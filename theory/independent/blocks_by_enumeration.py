"""Block verification enumerated: every drafted block, every length that its coins let it be, every token after it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from specproof.theory.chain import TabularModel, check_same_size
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

Excess = Callable[[float, Array, Array], Array]
"""``excess(weight, draft, target)``: what the token after an accepted part is drawn from, before it is normalised."""


def block_excess(weight: float, draft: Array, target: Array) -> Array:
    """[w q - p]+, from which block verification draws.

    Examples
    --------
    >>> block_excess(0.5, np.array([0.5, 0.5]), np.array([0.0, 1.0])).tolist()
    [0.0, 0.0]
    """
    return np.maximum(weight * target - draft, 0.0)


def blocks_by_enumeration(
    draft: TabularModel, target: TabularModel, length: int, emitted: Excess = block_excess
) -> list[Array]:
    """The joint law of a call's tokens: entry n-1, shape (V,) * n, is the probability that it emits just these n.

    Block by block the rule is followed as it is published: the running weights of the drafts, and from the last draft
    to the first a coin whose success accepts all drafts up to there. Nothing is used of how likely the lengths come
    out, which is what :mod:`specproof.theory.blocks` states [1]_.

    Parameters
    ----------
    draft, target : TabularModel
        Of one vocabulary and horizon, at least L + 1.
    length : int
        L >= 1.
    emitted : callable, optional
        What the token after a partly accepted block is drawn from; another than the rule's own makes a broken control.

    Raises
    ------
    InvalidInput
        If the models differ or are not tabular, or the length is not an integer in 1..horizon - 1.

    References
    ----------
    .. [1] Sun et al. 2024, Block Verification Accelerates Speculative Decoding, arXiv 2403.10444, Algorithm 2.

    Examples
    --------
    >>> draft, target = (TabularModel([law, [law, law]]) for law in ([0.5, 0.5], [0.25, 0.75]))
    >>> [block.tolist() for block in blocks_by_enumeration(draft, target, 1)]
    [[0.0, 0.25], [[0.0625, 0.1875], [0.125, 0.375]]]
    """
    check_same_size(draft, target, TabularModel)
    if positive_integer(length, "length") >= draft.horizon:
        raise InvalidInput(f"length is {length!r}: it must lie in 1..horizon - 1 = {draft.horizon - 1}")
    size = draft.num_states
    blocks = [np.zeros((size,) * n) for n in range(1, length + 2)]
    for drafts in product(range(size), repeat=length):
        proposals = [draft.conditionals[level][drafts[:level]] for level in range(length)]
        laws = [target.conditionals[level][drafts[:level]] for level in range(length + 1)]
        left = float(np.prod([row[token] for row, token in zip(proposals, drafts, strict=True)]))
        if left == 0.0:
            continue
        weights = _running_weights(drafts, proposals, laws)
        blocks[length][drafts] += left * weights[length] * laws[length]
        left *= 1.0 - weights[length]
        for level in reversed(range(length)):
            weight, proposal, law = weights[level], proposals[level], laws[level]
            excess = float(block_excess(weight, proposal, law).sum())
            accepted = excess / (excess + 1.0 - weight) if level and excess + 1.0 - weight > 0 else 1.0
            weighed = emitted(weight, proposal, law)
            after = weighed / weighed.sum() if weighed.any() else law
            blocks[level][drafts[:level]] += left * accepted * after
            left *= 1.0 - accepted
    return blocks


def _running_weights(drafts: tuple[int, ...], proposals: list[Array], laws: list[Array]) -> list[float]:
    """The probabilities p_i of the paper, for drafts that all have positive probability."""
    weights = [1.0]
    for token, proposal, law in zip(drafts, proposals, laws, strict=False):
        weights.append(min(1.0, weights[-1] * float(law[token]) / float(proposal[token])))
    return weights
