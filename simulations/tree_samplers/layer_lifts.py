"""The layer lift of each verifier of one position that states its rule for given drafts."""

from __future__ import annotations

from functools import partial

import numpy as np

from specproof.simulations.tree_samplers.drafted import Drafted, Draws
from specproof.simulations.tree_samplers.registry import register_tree_sampler
from specproof.theory.trees.branches import words
from specproof.theory.trees.draft_trees import Node
from specproof.theory.trees.layers import weigh
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.verifiers import VERIFIERS, Verifier


def lifted(rule: Verifier, tree: Drafted, draws: Draws) -> Node:
    """Weigh draft sequences downwards, toss for each depth upwards, and draw node and token where a coin falls."""
    layers = weigh(tree.draft, tree.target, np.array(words(tree.branches)), rule)
    for layer in reversed(layers):
        rejected = float(layer.rejected.sum())
        below = rejected + layer.missing
        if below > 0 and draws.coin(rejected / below):
            node, token = divmod(draws.token(layer.rejected.ravel()), layer.rejected.shape[1])
            return (*layer.nodes[node], token)
    return (draws.token(tree.target(())),)  # the root's coin always falls, but for rounding


for _rule in VERIFIERS.values():
    if f"{_rule.name}-layers" in TREE_VERIFIERS:
        register_tree_sampler(f"{_rule.name}-layers", partial(lifted, _rule))
