r"""Rules that verify one chain from its far end: block verification, one of K chains, and hierarchical decoding.

*One of K chains* [1]_: all sequences are ordered, token by token at the first place where they differ, those of greater
q/p being better. Of the drafted chains the best is taken, whose law is :math:`p^*(x) = F(x)^K - F(x^-)^K` with F the
draft's probability of x and all worse ones, and block verification runs on it *with p\* for the draft's law*.

*Hierarchical speculative decoding* [2]_, as its code states it for one chain: with :math:`r_l` the ratio of the
target's to the draft's probability of the first l tokens, the weights are :math:`r_l / \max(1, r_1, ..., r_l)`, which
are those of block verification, and lengths below L are accepted as there; but the whole chain is accepted with
probability :math:`\min(1, r_L)` in place of the weight. That is more than block verification accepts, which is
optimal, and so it cannot be lossless.

References
----------
.. [1] R. Thomas, A. Pal 2026, Greedy Multi-Path Block Verification, arXiv 2602.16961; written down after the
   abstract, reviews and public implementations, ties going to the smaller token.
.. [2] Zhou et al. 2026, Overcoming Joint Intractability with Lossless Hierarchical Speculative Decoding, ICLR,
   arXiv 2601.05724, and its public code, single draft.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np

from specproof.theory.blocks import BlockLaw, block_verification
from specproof.theory.chain import Chain
from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.trees.branches import Branches, words
from specproof.theory.trees.draft_trees import Node, joint_law, next_token_law
from specproof.theory.trees.rules.registry import Emitted, Given


def one_chain(draft: Chain, target: Chain, _: int, length: int) -> Given:
    """Block verification of the first sequence.

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> from specproof.theory.trees.branches import chain
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 2) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> list(one_chain(draft, target, 1, 1)(chain([0])))
    [((0, 0), 0.25), ((0, 1), 0.75)]
    """

    def given(branches: Branches) -> Emitted:
        (word, *_) = words(branches)
        law = block_verification(along(draft, word, length), along(target, word, length + 1), word)
        return emitted(word, law)

    return given


def best_chain(draft: Chain, target: Chain, num_drafts: int, length: int) -> Given:
    """Block verification of the best of K sequences with the law of the best for the draft's, see the module.

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> from specproof.theory.trees.branches import chain
    >>> draft, target = (MarkovChain(law, [law] * 2, 2) for law in ([0.5, 0.5], [0.25, 0.75]))
    >>> list(best_chain(draft, target, 2, 1)(chain([0]) + chain([1])))
    [((1, 0), 0.25), ((1, 1), 0.75)]
    """
    ranked = sorted(product(range(draft.num_states), repeat=length), key=lambda word: _rank(draft, target, word))
    place = {word: index for index, word in enumerate(ranked)}
    best = np.zeros((draft.num_states,) * length)
    entries = tuple(np.transpose(ranked))
    best[entries] = law_of_greatest(joint_law(draft, length, "draft")[entries], num_drafts)
    passed = [best.sum(axis=tuple(range(level, length))) for level in range(length + 1)]

    @cache
    def verified(word: Node) -> BlockLaw:
        proposal = np.array([normalise_or_zero(passed[level + 1][word[:level]]) for level in range(length)])
        return block_verification(proposal, along(target, word, length + 1), word)

    def given(branches: Branches) -> Emitted:
        word = max(words(branches), key=place.__getitem__)
        return emitted(word, verified(word))

    return given


def law_of_greatest(masses: Array, count: int, worse: float = 0.0) -> Array:
    """The law of the greatest of K independent draws, from the masses in their order, the least first.

    It is F^K - (F - m)^K, factored so that a small mass m keeps its digits.

    Parameters
    ----------
    masses : array, shape (n,)
    count : int
        K.
    worse : float
        The mass of what is less than all of these.

    Examples
    --------
    >>> law_of_greatest(np.array([0.25, 0.75]), 2).tolist()
    [0.0625, 0.9375]
    """
    reached = np.minimum(worse + np.cumsum(masses), 1.0)
    before = np.concatenate([[worse], reached[:-1]])
    law: Array = masses * sum(reached**power * before ** (count - 1 - power) for power in range(count))
    return law


def hierarchical(draft: Chain, target: Chain, _: int, length: int) -> Given:
    """Hierarchical speculative decoding of one sequence, as its code states it, see the module.

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> from specproof.theory.trees.branches import chain
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 2) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> list(hierarchical(draft, target, 1, 1)(chain([0])))
    [((0, 0), 0.25), ((0, 1), 0.75)]
    """

    def given(branches: Branches) -> Emitted:
        (word, *_) = words(branches)
        proposal, law = along(draft, word, length), along(target, word, length + 1)
        ratios = np.cumprod([row[token] for row, token in zip(law, word, strict=False)])
        ratios /= np.cumprod([row[token] for row, token in zip(proposal, word, strict=True)])
        block = block_verification(proposal, law, word)
        stopping = block.stopping.copy()
        stopping[-1] = min(1.0, float(ratios[-1]))
        return emitted(word, BlockLaw(block.weights, stopping, block.residual))

    return given


def along(model: Chain, word: Node, positions: int) -> Array:
    """The laws of a model at the first positions along a word, shape (positions, V).

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> along(MarkovChain([0.5, 0.5], [[0.75, 0.25], [0.5, 0.5]], 2), (0, 1), 2).tolist()
    [[0.5, 0.5], [0.75, 0.25]]
    """
    return np.array([next_token_law(model, word[:level]) for level in range(positions)])


def emitted(word: Node, law: BlockLaw) -> Iterator[tuple[Node, float]]:
    """What a block's law emits: each accepted part with each token after it.

    Examples
    --------
    >>> law = block_verification([[0.5, 0.5]], [[0.25, 0.75], [1.0, 0.0]], tokens=[0])
    >>> list(emitted((0,), law))
    [((1,), 0.5), ((0, 0), 0.5)]
    """
    for level, (chance, residual) in enumerate(zip(law.accepted, law.residual, strict=True)):
        yield from (
            ((*word[:level], int(token)), float(chance * residual[token])) for token in np.flatnonzero(residual)
        )


def _rank(draft: Chain, target: Chain, word: Node) -> list[tuple[float, int]]:
    """What orders the words: at each token the greater ratio is better, and of equals the smaller number."""
    keys = []
    for level, token in enumerate(word):
        given, wanted = (float(next_token_law(model, word[:level])[token]) for model in (draft, target))
        keys.append((wanted / given if given > 0 else np.inf, -token))
    return keys
