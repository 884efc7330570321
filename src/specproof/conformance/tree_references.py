"""Correct verifiers of drafted trees, in the kit's contract ``tree``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.problems import Tokens
from specproof.conformance.subject.failures import Unsupported
from specproof.conformance.tree import Drawn, Tree
from specproof.simulations.samplers import SAMPLERS, recursive_without_replacement
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import SelectionSampler
from specproof.simulations.tree_samplers import TREE_SAMPLERS
from specproof.simulations.tree_samplers.drafted import Drafted, RandomDraws
from specproof.theory.distribution import Array
from specproof.theory.trees.branches import Branches
from specproof.theory.trees.draft_trees import Node, NodeLaw
from specproof.theory.trees.rules import TREE_VERIFIERS

DRAWN_FOR = {
    "sequences": Drawn.PATHS,
    "distinct": Drawn.DISTINCT,
    "likeliest": Drawn.CERTAIN,
    "greedy": Drawn.CERTAIN,
}
"""How the kit draws what the rules of ``TREE_VERIFIERS`` are for; pairs of SpecHub and the like it does not draw."""


def walk_by_target(tree: Tree, target_probs: Array, draft_probs: Array | None, rng: np.random.Generator) -> Tokens:
    """Draw from the target at each node, go on to a child of that token, and end where there is none.

    Exact however the tree was drawn, and optimal for certain trees.
    """
    del draft_probs
    here = tree.parents < 0
    emitted = np.full((len(here), tree.depth + 1), -1)
    for place in range(emitted.shape[1]):
        rows = np.flatnonzero(here.any(axis=1))
        laws = target_probs[rows, here[rows].argmax(axis=1)]
        emitted[rows, place] = invert(laws, rng.random(rows.size))
        here = _children(tree, here) & (tree.tokens == emitted[:, place, np.newaxis])
    return emitted


def level_by_level(
    name: str, tree: Tree, target_probs: Array, draft_probs: Array | None, rng: np.random.Generator
) -> Tokens:
    """Verify the next tokens of all paths that agree with what was emitted, by a verifier of independent drafts.

    References
    ----------
    .. [1] Sun et al. 2023, SpecTr: Fast Speculative Decoding via Optimal Transport, arXiv 2310.15141, Algorithm 3.
    """
    if draft_probs is None or tree.drawn not in (Drawn.IID, Drawn.PATHS):
        raise Unsupported("siblings have to be independent")
    return _by_levels(SAMPLERS[name], tree, target_probs, draft_probs, rng)


def recursive_on_tree(tree: Tree, target_probs: Array, draft_probs: Array | None, rng: np.random.Generator) -> Tokens:
    """Recursive rejection at each node, among independent or distinct siblings; certain ones have no draft law."""
    if draft_probs is None or tree.drawn is Drawn.CERTAIN:
        raise Unsupported("siblings have to be drawn")
    rule = recursive_without_replacement.verify if tree.drawn is Drawn.DISTINCT else SAMPLERS["recursive"]
    return _by_levels(rule, tree, target_probs, draft_probs, rng)


def by_tree_sampler(
    name: str, tree: Tree, target_probs: Array, draft_probs: Array | None, rng: np.random.Generator
) -> Tokens:
    """Verify tree by tree, by a sampler of ``TREE_SAMPLERS``, where its rule takes drafts that are drawn so."""
    if tree.drawn != DRAWN_FOR.get(TREE_VERIFIERS[name].draws):
        raise Unsupported(f"{name} takes other drafts")
    sampler, draws = TREE_SAMPLERS[name], RandomDraws(rng)
    offered = target_probs if draft_probs is None else draft_probs  # rules for certain trees do not look at it
    emitted = np.full((len(target_probs), tree.depth + 1), -1)
    for trial, (tokens, parents) in enumerate(zip(tree.tokens.tolist(), tree.parents.tolist(), strict=True)):
        nodes: list[Node] = [()]
        for token, parent in zip(tokens[1:], parents[1:], strict=True):
            nodes.append((*nodes[parent], token))
        drafted = Drafted(
            _branches(tokens, parents, 0), *(_laws(rows[trial], nodes) for rows in (offered, target_probs))
        )
        node = sampler(drafted, draws)
        emitted[trial, : len(node)] = node
    return emitted


def _laws(rows: Array, nodes: list[Node]) -> NodeLaw:
    place = {node: index for index, node in enumerate(nodes)}  # equal nodes have equal rows
    return lambda node: rows[place[node]]


def _branches(tokens: list[int], parents: list[int], node: int) -> Branches:
    """What was drafted after a node, in the order of drafting."""
    children = (child for child in range(node + 1, len(parents)) if parents[child] == node)
    return tuple((tokens[child], _branches(tokens, parents, child)) for child in children)


def _by_levels(
    rule: SelectionSampler, tree: Tree, target_probs: Array, draft_probs: Array, rng: np.random.Generator
) -> Tokens:
    here = tree.parents < 0
    emitted = np.full((len(here), tree.depth + 1), -1)
    for place in range(emitted.shape[1]):
        at, below = here.argmax(axis=1), _children(tree, here)
        counts = np.where(here.any(axis=1), below.sum(axis=1), -1)
        passed = np.zeros(len(here), dtype=bool)
        for count in np.unique(counts[counts >= 0]):
            rows = np.flatnonzero(counts == count)
            target = target_probs[rows, at[rows]]
            if count == 0:
                emitted[rows, place] = invert(target, rng.random(rows.size))
                continue
            drafts = tree.tokens[rows][below[rows]].reshape(rows.size, count)
            tokens, accepted = rule(draft_probs[rows, at[rows]], target, drafts, rng.random((rows.size, count + 1)))
            emitted[rows, place], passed[rows] = tokens, accepted >= 0
        here = below & (tree.tokens == emitted[:, place, np.newaxis]) & passed[:, np.newaxis]
    return emitted


def _children(tree: Tree, here: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which nodes are children of the chosen ones, shape (n, N)."""
    found: NDArray[np.bool_] = np.take_along_axis(here, np.maximum(tree.parents, 0), axis=1) & (tree.parents >= 0)
    return found
