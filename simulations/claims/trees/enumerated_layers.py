"""The law of a call of priority layer verification with a tree of any shape, by enumeration of what is drafted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array
from specproof.theory.trees.layer_tree import LayerTree
from specproof.theory.trees.priority_layers import PriorityLayers, weigh_layers

Weigh = Callable[[Array, Array, NDArray[np.int64], LayerTree], PriorityLayers]
"""What makes weights of drafted trees, as :func:`specproof.theory.trees.priority_layers.weigh_layers`."""


def layers_by_enumeration(
    draft: TabularModel, target: TabularModel, tree: LayerTree, weigh: Weigh = weigh_layers
) -> list[Array]:
    """The probability of each emitted block of 1 to L + 1 tokens, arrays of shape (V,), (V, V), ...

    Every assignment of tokens to the drafts is enumerated, so the tree must be small. Arguments are trusted; horizons
    are above the tree's depth.

    Examples
    --------
    >>> from specproof.theory.chain import MarkovChain
    >>> draft, target = (MarkovChain([0.5, 0.5], [law] * 2, 2).tabulate() for law in ([0.5, 0.5], [0.25, 0.75]))
    >>> [block.sum().tolist() for block in layers_by_enumeration(draft, target, LayerTree((-1, -1)))]
    [0.0, 1.0]
    """
    size, width = target.num_states, len(tree.parents)
    drafts = np.array(list(product(range(size), repeat=width)), dtype=np.int64)
    number = np.zeros((len(drafts), width + 1), dtype=np.int64)  # of the tokens on the way, in the order of the axes
    chance = np.ones(len(drafts))
    tables = [[table.reshape(-1, size) for table in model.conditionals] for model in (draft, target)]
    rows = [[table[0][number[:, 0]]] for table in tables]
    for place, (parent, depth) in enumerate(zip(tree.parents, tree.depths, strict=True)):
        chance *= rows[0][parent + 1][np.arange(len(drafts)), drafts[:, place]]
        number[:, place + 1] = number[:, parent + 1] * size + drafts[:, place]
        for found, table in zip(rows, tables, strict=True):
            found.append(table[depth][number[:, place + 1]])
    possible = chance > 0
    ours, theirs = (np.stack(found, axis=1)[possible] for found in rows)
    made = weigh(ours, theirs, drafts[possible], tree)
    return _emitted(made, number[possible], chance[possible], size)


def _emitted(made: PriorityLayers, number: NDArray[np.int64], chance: Array, size: int) -> list[Array]:
    """Add up the laws of what is emitted for given drafts."""
    blocks, accepted = [], made.accepted
    for depth, nodes in enumerate(made.nodes):
        block = np.zeros((size**depth, size))
        total = np.bincount(nodes.tree, nodes.rejected.sum(axis=1), len(chance))
        ended = chance * np.divide(accepted[:, depth], total, out=np.zeros(total.shape), where=total > 0)
        np.add.at(block, number[nodes.tree, nodes.draft + 1], ended[nodes.tree, np.newaxis] * nodes.rejected)
        blocks.append(block.reshape((size,) * (depth + 1)))
    return blocks
