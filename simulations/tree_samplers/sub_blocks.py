"""SpecTr-GBV, as its code states it: sub-blocks of K sequences are tried in turn, and longer ones override."""

from __future__ import annotations

from specproof.simulations.tree_samplers.drafted import Drafted, Draws
from specproof.simulations.tree_samplers.registry import register_tree_sampler
from specproof.theory.trees.branches import words
from specproof.theory.trees.draft_trees import Node
from specproof.theory.trees.rules.multi_block import after_sub_block, sub_block_chance


def multi_block(tree: Drafted, draws: Draws) -> Node:
    """Try every sub-block that is longer than what was accepted of the sequences before, and every whole sequence."""
    drafted = words(tree.branches)
    laws, sizes = (tree.draft, tree.target), (len(drafted), len(drafted[0]))
    accepted: Node = ()
    refused: set[Node] = set()
    for word in drafted:
        begin = len(accepted)
        for level in range(1, len(word) + 1):
            block, is_whole = word[:level], level == len(word)
            if not is_whole and (level <= begin or block in refused):
                continue
            if draws.coin(sub_block_chance(*laws, block, *sizes)):
                accepted = block
            elif not is_whole:
                refused.add(block)
        if len(accepted) == len(word):
            break
    return (*accepted, draws.token(after_sub_block(*laws, accepted, *sizes)))


register_tree_sampler("spectr-gbv", multi_block)
