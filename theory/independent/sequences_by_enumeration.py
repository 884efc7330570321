"""SpecTr's draft sequences enumerated: every set of drafts, every acceptance or rejection, every replacement.

Nothing is used of how many drafts are expected to agree, only what each rule does with drafts that are given: this is
what :mod:`specproof.theory.sequences` is checked against.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from specproof.theory.chain import TabularModel, check_same_size
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.verifiers import VERIFIERS

LARGEST_FOREST = 2**22
"""At most this many sets of draft sequences, V^(K L), are enumerated."""


def sequences_by_enumeration(
    draft: TabularModel, target: TabularModel, num_drafts: int, length: int, verifier: str
) -> list[Array]:
    """The joint law of a block: entry n-1, shape (V,) * n, is the probability that it is just these n = 1..L+1 tokens.

    For every set of K draft sequences and every prefix, the chance that the prefix was accepted token by token, with
    the sequences that carry it; at each level the rule meets their next tokens in order.
    (Sun et al. 2023, Algorithm 3.)

    Parameters
    ----------
    draft, target : TabularModel
        Of one vocabulary and horizon, at least L + 1; V^(K L) at most ``LARGEST_FOREST``.
    num_drafts, length : int
        K >= 1 and L >= 1.
    verifier : str
        The name of one that is registered with its rule for given drafts, see :func:`enumerable`.

    Raises
    ------
    InvalidInput
        If the models differ or are not tabular, there are too many sets of drafts, or an argument is out of range.

    References
    ----------
    .. [1] Sun et al. 2023, SpecTr: Fast Speculative Decoding via Optimal Transport, arXiv 2310.15141, Algorithm 3.

    Examples
    --------
    >>> from specproof.theory.chain import MarkovChain
    >>> draft, target = (MarkovChain(law, [law, law], 2).tabulate() for law in ([0.5, 0.5], [0.25, 0.75]))
    >>> [block.tolist() for block in sequences_by_enumeration(draft, target, 1, 1, "single")]
    [[0.0, 0.25], [[0.0625, 0.1875], [0.125, 0.375]]]
    """
    check_same_size(draft, target, TabularModel)
    count, size = one_num_drafts(num_drafts), draft.num_states
    rule = VERIFIERS.named(verifier)
    if rule.given_drafts is None:
        raise InvalidInput(f"verifier is {verifier!r}, whose rule for given drafts is not registered: register it too")
    if positive_integer(length, "length") >= draft.horizon:
        raise InvalidInput(f"length is {length!r}: it must lie in 1..horizon - 1 = {draft.horizon - 1}")
    if size ** (count * length) > LARGEST_FOREST:
        raise InvalidInput(f"length is {length}: {size}^({count} * {length}) sets of drafts are too many, draft less")
    forests = np.array(list(product(range(size), repeat=count * length))).reshape(-1, count, length)
    chance = _chances(draft, forests)
    blocks = [np.zeros((size,) * n) for n in range(1, length + 2)]
    weights: dict[tuple[int, ...], Array] = {(): chance}
    for level in range(length):
        longer: dict[tuple[int, ...], Array] = {}
        for prefix, weight in weights.items():
            proposal, law = draft.conditionals[level][prefix], target.conditionals[level][prefix]
            alive = np.all(forests[:, :, :level] == np.array(prefix, dtype=int), axis=-1)
            rejected = np.zeros(size)
            for rows, k, next_tokens in _by_number_left(forests[:, :, level], alive, weight):
                selected = rule.given_drafts(proposal, law, next_tokens) * weight[rows, np.newaxis]
                for token in range(size):
                    passed = (selected * (next_tokens == token)).sum(axis=-1)
                    longer.setdefault((*prefix, token), np.zeros_like(chance))[rows] += passed
                replacement = rule.law(proposal, law, k).residual
                rejected += max(float(weight[rows].sum() - selected.sum()), 0.0) * replacement
            blocks[level][prefix] = rejected
        weights = longer
    for prefix, weight in weights.items():
        blocks[length][prefix] = weight.sum() * target.conditionals[length][prefix]
    return blocks


def enumerable() -> list[str]:
    """The names of the verifiers that can be enumerated: those registered with their rule for given drafts.

    Examples
    --------
    >>> sorted(enumerable())
    ['kseq', 'priority', 'recursive', 'single']
    """
    return [name for name, verifier in VERIFIERS.items() if verifier.given_drafts is not None]


def completed(blocks: list[Array], target: TabularModel) -> Array:
    """The joint law of L + 1 tokens, shape (V,) * (L + 1), when the target goes on where a block is shorter."""
    law = np.zeros(())
    for block, conditional in zip(blocks, target.conditionals, strict=False):
        law = law[..., np.newaxis] * conditional + block
    return law


def _chances(draft: TabularModel, forests: NDArray[np.int64]) -> Array:
    """The probability of each set of sequences."""
    chance = np.ones(forests.shape[0])
    for sequence in range(forests.shape[1]):
        for level in range(forests.shape[2]):
            chance *= draft.conditionals[level][tuple(forests[:, sequence, : level + 1].T)]
    return chance


def _by_number_left(
    tokens: NDArray[np.int64], alive: NDArray[np.bool_], weight: Array
) -> Iterator[tuple[NDArray[np.int64], int, NDArray[np.int64]]]:
    """Forests of positive weight by the number of living sequences: their indices, the number, their next tokens."""
    for k in range(1, tokens.shape[1] + 1):
        rows = np.flatnonzero((alive.sum(axis=-1) == k) & (weight > 0))
        if rows.size:
            yield rows, k, tokens[rows][alive[rows]].reshape(-1, k)
