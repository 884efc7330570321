"""The rules for drafted trees: the published ones, and what the one-position verifiers make level by level.

===============  =======================================================================================================
``registry``     what a rule is, the registry, and the law of a call by enumeration
``levels``       walks from the root: distinct siblings, certain trees, exact match, SpecHub, top (K-1) and one
``importance``   canonical decomposition, a step of such a walk
``races``        Gumbel-max list sampling, a step of such a walk
``traversal``    traversal verification, from the leaves to the root
``chains``       block verification of one chain and of the best of K, hierarchical speculative decoding
``multi_block``  SpecTr-GBV
``published``    registers all of them
===============  =======================================================================================================
"""

from specproof.theory.registry import load_rooms
from specproof.theory.trees.rules.registry import TREE_VERIFIERS

load_rooms(__name__, __path__)

__all__ = ["TREE_VERIFIERS"]
