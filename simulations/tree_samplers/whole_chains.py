"""Rules that verify one chain from its far end: block verification, one of K chains, and hierarchical decoding."""

from __future__ import annotations

import numpy as np

from specproof.simulations.tree_samplers.drafted import Drafted, Draws
from specproof.simulations.tree_samplers.registry import register_tree_sampler
from specproof.theory.blocks import BlockLaw, block_verification
from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.trees.branches import words
from specproof.theory.trees.draft_trees import Node, NodeLaw
from specproof.theory.trees.rules.chains import law_of_greatest


def one_chain(tree: Drafted, draws: Draws) -> Node:
    """Block verification of the first chain."""
    (word, *_) = words(tree.branches)
    law = block_verification(along(tree.draft, word), along(tree.target, word, 1), word)
    return from_far_end(word, law, draws)


def best_chain(tree: Drafted, draws: Draws) -> Node:
    """Block verification of the best of K chains with the law of the best for the draft's."""
    drafted = words(tree.branches)
    word = max(drafted, key=lambda each: [_rank(tree, each[:level])[token] for level, token in enumerate(each)])
    law = block_verification(_law_of_best(tree, word, len(drafted)), along(tree.target, word, 1), word)
    return from_far_end(word, law, draws)


def hierarchical(tree: Drafted, draws: Draws) -> Node:
    """Hierarchical speculative decoding of the first chain, as its code states it: it keeps too many whole chains."""
    (word, *_) = words(tree.branches)
    proposal, law = along(tree.draft, word), along(tree.target, word, 1)
    block = block_verification(proposal, law, word)
    levels = np.arange(len(word))
    ratio = np.prod(law[levels, word]) / np.prod(proposal[levels, word])
    stopping = np.append(block.stopping[:-1], min(1.0, float(ratio)))
    return from_far_end(word, BlockLaw(block.weights, stopping, block.residual), draws)


def from_far_end(word: Node, law: BlockLaw, draws: Draws) -> Node:
    """Toss for each length, the whole chain first, and end with a token of its residual."""
    for level in range(len(word), 0, -1):
        if draws.coin(float(law.stopping[level])):
            return (*word[:level], draws.token(law.residual[level]))
    return (draws.token(law.residual[0]),)


def along(law: NodeLaw, word: Node, more: int = 0) -> Array:
    """The laws along a word, shape (L, V), and after it if one more is asked for."""
    return np.array([law(word[:level]) for level in range(len(word) + more)])


def _rank(tree: Drafted, node: Node) -> list[int]:
    """The places of the tokens after a node, the worst 0: those of greater q/p are better, of equals the smaller."""
    given, wanted = tree.draft(node), tree.target(node)
    ratio = np.divide(wanted, given, out=np.full_like(wanted, np.inf), where=given > 0)
    order = sorted(range(given.size), key=lambda token: (ratio[token], -token))
    return [int(place) for place in np.argsort(order)]


def _law_of_best(tree: Drafted, word: Node, count: int) -> Array:
    """The law of each token of the best of K chains, given those before it, shape (L, V)."""
    rows, worse, mass = [], 0.0, 1.0
    for level, token in enumerate(word):
        law, place = tree.draft(word[:level]), np.array(_rank(tree, word[:level]))
        masses = mass * law[np.argsort(place)]
        rows.append(normalise_or_zero(law_of_greatest(masses, count, worse)[place]))
        worse, mass = worse + float(masses[: place[token]].sum()), mass * float(law[token])
    return np.array(rows)


register_tree_sampler("block-verification", one_chain)
register_tree_sampler("best-path", best_chain)
register_tree_sampler("hierarchical", hierarchical)
