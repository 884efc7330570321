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

from functools import cache

import numpy as np
from numpy.typing import NDArray

from specproof.theory.blocks import BlockLaw, block_verification
from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.trees.branches import Branches, words
from specproof.theory.trees.draft_trees import Node, NodeLaw
from specproof.theory.trees.rules.registry import Emitted, Given


def one_chain(draft: NodeLaw, target: NodeLaw, _: int, length: int) -> Given:
    """Block verification of the first sequence.

    Examples
    --------
    >>> from specproof.theory.trees.branches import chain
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> [(path, ends.tolist()) for path, ends in one_chain(*laws, 1, 1)(chain([0]))]
    [((), [0.0, 0.5]), ((0,), [0.125, 0.375])]
    """

    def given(branches: Branches) -> Emitted:
        (word, *_) = words(branches)
        law = block_verification(along(draft, word, length), along(target, word, length + 1), word)
        return emitted(word, law)

    return given


def best_chain(draft: NodeLaw, target: NodeLaw, num_drafts: int, length: int) -> Given:
    """Block verification of the best of K sequences with the law of the best for the draft's, see the module.

    Examples
    --------
    >>> from specproof.theory.trees.branches import chain
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> [(path, ends.tolist()) for path, ends in best_chain(*laws, 2, 1)(chain([0]) + chain([1]))]
    [((), [0.0, 0.0]), ((1,), [0.25, 0.75])]
    """

    @cache
    def verified(word: Node) -> BlockLaw:
        return block_verification(law_of_best(draft, target, word, num_drafts), along(target, word, length + 1), word)

    def given(branches: Branches) -> Emitted:
        word = best_word(draft, target, words(branches))
        return emitted(word, verified(word))

    return given


def best_word(draft: NodeLaw, target: NodeLaw, drafted: list[Node]) -> Node:
    """The best of the sequences: where two first differ, the better token decides.

    Examples
    --------
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> best_word(*laws, [(0, 1), (1, 0)])
    (1, 0)
    """

    def rank(word: Node) -> list[int]:
        nodes = [word[:level] for level in range(len(word))]
        return [int(places(draft(node), target(node))[token]) for node, token in zip(nodes, word, strict=True)]

    return max(drafted, key=rank)


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


def hierarchical(draft: NodeLaw, target: NodeLaw, _: int, length: int) -> Given:
    """Hierarchical speculative decoding of one sequence, as its code states it, see the module.

    Examples
    --------
    >>> from specproof.theory.trees.branches import chain
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> [(path, ends.tolist()) for path, ends in hierarchical(*laws, 1, 1)(chain([0]))]
    [((), [0.0, 0.5]), ((0,), [0.125, 0.375])]
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


def along(law: NodeLaw, word: Node, positions: int) -> Array:
    """The laws of a model at the first positions along a word, shape (positions, V).

    Examples
    --------
    >>> along(lambda node: np.eye(2)[len(node)], (0, 1), 2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return np.array([law(word[:level]) for level in range(positions)])


def emitted(word: Node, law: BlockLaw) -> Emitted:
    """What a block's law emits: each accepted part with the tokens after it.

    Examples
    --------
    >>> law = block_verification([[0.5, 0.5]], [[0.25, 0.75], [1.0, 0.0]], tokens=[0])
    >>> [(path, ends.tolist()) for path, ends in emitted((0,), law)]
    [((), [0.0, 0.5]), ((0,), [0.5, 0.0])]
    """
    for level, (chance, residual) in enumerate(zip(law.accepted, law.residual, strict=True)):
        yield word[:level], float(chance) * residual


def places(draft: Array, target: Array) -> NDArray[np.int64]:
    """The places of the tokens after a node, shape (V,), the worst 0: those of greater q/p are better.

    Of equals the smaller token is better, and a token that cannot be drafted is better than all others.

    Examples
    --------
    >>> places(np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5])).tolist()
    [0, 1, 2]
    """
    ratio = np.divide(target, draft, out=np.full_like(target, np.inf), where=draft > 0)
    ascending = ratio.size - 1 - np.argsort(ratio[::-1], kind="stable")
    place = np.empty_like(ascending)
    place[ascending] = np.arange(ratio.size)
    return place


def law_of_best(draft: NodeLaw, target: NodeLaw, word: Node, count: int) -> Array:
    """The law of each token of the best of K sequences, given the tokens of a word before it, shape (L, V).

    Examples
    --------
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> law_of_best(*laws, (1,), 2).tolist()
    [[0.25, 0.75]]
    """
    rows, worse, mass = [], 0.0, 1.0
    for level, token in enumerate(word):
        node = word[:level]
        law = draft(node)
        place = places(law, target(node))
        masses = np.empty_like(law)
        masses[place] = mass * law
        rows.append(normalise_or_zero(law_of_greatest(masses, count, worse)[place]))
        worse, mass = worse + float(masses[: place[token]].sum()), mass * float(law[token])
    return np.array(rows)
