"""Samplers of the rules for drafted trees, which are handed one drafted tree and draw what the call emits.

=================  ======================================================================================
``drafted``        what a sampler is handed, and what it draws by
``tree_drafting``  how one tree is drafted
``registry``       the registry, and calls from the start of two models
``walks``          walks from the root, a step a node
``whole_chains``   block verification of one chain and of the best of K, hierarchical speculative decoding
``from_leaves``    traversal verification
``layer_lifts``    the layer lift of every verifier of one position
``sub_blocks``     SpecTr-GBV
=================  ======================================================================================

Each acts as its rule is published, coin by coin, where the law of :mod:`specproof.theory.trees.rules` adds up masses:
the coins of one can be enumerated, and must give the other.
"""

from specproof.simulations.tree_samplers.registry import TREE_SAMPLERS
from specproof.theory.registry import load_rooms

load_rooms(__name__, list(__path__))

__all__ = ["TREE_SAMPLERS"]
