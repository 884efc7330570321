"""Rules that verify one chain from its far end: block verification, one of K chains, and hierarchical decoding."""

from __future__ import annotations

import numpy as np

from specproof.simulations.tree_samplers.drafted import Drafted, Draws
from specproof.simulations.tree_samplers.registry import register_tree_sampler
from specproof.theory.blocks import BlockLaw, block_verification
from specproof.theory.trees.branches import words
from specproof.theory.trees.draft_trees import Node
from specproof.theory.trees.rules.chains import along, best_word, law_of_best


def one_chain(tree: Drafted, draws: Draws) -> Node:
    """Block verification of the first chain."""
    (word, *_) = words(tree.branches)
    law = block_verification(along(tree.draft, word, len(word)), along(tree.target, word, len(word) + 1), word)
    return from_far_end(word, law, draws)


def best_chain(tree: Drafted, draws: Draws) -> Node:
    """Block verification of the best of K chains with the law of the best for the draft's."""
    drafted = words(tree.branches)
    word = best_word(tree.draft, tree.target, drafted)
    proposal = law_of_best(tree.draft, tree.target, word, len(drafted))
    law = block_verification(proposal, along(tree.target, word, len(word) + 1), word)
    return from_far_end(word, law, draws)


def hierarchical(tree: Drafted, draws: Draws) -> Node:
    """Hierarchical speculative decoding of the first chain, as its code states it: it keeps too many whole chains."""
    (word, *_) = words(tree.branches)
    proposal, law = along(tree.draft, word, len(word)), along(tree.target, word, len(word) + 1)
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


register_tree_sampler("block-verification", one_chain)
register_tree_sampler("best-path", best_chain)
register_tree_sampler("hierarchical", hierarchical)
