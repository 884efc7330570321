"""Traversal verification: branch by branch, each from its leaves to its root."""

from __future__ import annotations

from functools import partial

import numpy as np

from specproof.simulations.tree_samplers.drafted import Drafted, Draws
from specproof.simulations.tree_samplers.registry import register_tree_sampler
from specproof.simulations.tree_samplers.walks import chance_kept
from specproof.theory.distribution import normalise_or_zero
from specproof.theory.trees.branches import Branches, refuse_repeated, without
from specproof.theory.trees.draft_trees import Node


def traverse(distinct: bool, tree: Drafted, draws: Draws) -> Node:
    """Try the branches in their order, siblings i.i.d. or distinct.

    Raises
    ------
    InvalidInput
        If distinct siblings have one token.
    """

    def visit(node: Node, branches: Branches, accept: float) -> Node:
        """What is emitted at the node or below it, and nothing if all of that is refused."""
        law = tree.target(node)
        proposal = tree.draft(node) if branches else law
        if distinct:
            refuse_repeated(tuple(token for token, _ in branches))
        for token, after in branches:
            if found := visit((*node, token), after, chance_kept(proposal, accept * law, token)):
                return found
            excess = np.maximum(accept * law - proposal, 0.0)
            left = float(excess.sum())
            accept = left / (left + (1.0 - accept)) if left > 0 else 0.0
            law = normalise_or_zero(excess)
            proposal = without(proposal, (token,)) if distinct else proposal
        return (*node, draws.token(law)) if draws.coin(accept) else ()

    # The root is never refused but by rounding, and then the target goes on.
    return visit((), tree.branches, 1.0) or (draws.token(tree.target(())),)


register_tree_sampler("traversal", partial(traverse, False))
register_tree_sampler("traversal-distinct", partial(traverse, True))
