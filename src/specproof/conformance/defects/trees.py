"""Defects of verifiers of drafted trees."""

from __future__ import annotations

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.tree_rules import Parents, TreeRule, told_as_drawn
from specproof.conformance.problems import Contract, Tokens
from specproof.conformance.problems.topology import children_of
from specproof.conformance.tree import Drawn, Tree
from specproof.theory.distribution import Array


def _ratio_of_all(draft: Array, tokens: Tokens, kind: Drawn) -> Array:
    """Test certain children by the draft's law too, where it is handed out."""
    return np.where(draft.any(axis=-1, keepdims=True), draft, told_as_drawn(draft, tokens, kind))


def _row_of_parent(parents: Parents, node: int) -> int:
    """Use the law after the parent, as if the bonus token stood beside the leaf."""
    return parents[node] if node and node not in parents else node


def _elder_row(parents: Parents, node: int) -> int:
    """Use the law after the first child of the same parent."""
    return children_of(parents)[parents[node]][0] if node else node


def _row_before(parents: Parents, node: int) -> int:
    """Use the row before the own one, from the second branch on."""
    branches = children_of(parents)[0]
    return node - 1 if len(branches) > 1 and node >= branches[1] else node


def leaves_the_tree(tree: Tree, target_probs: Array, draft_probs: Array | None, rng: np.random.Generator) -> Tokens:
    """Go on after a token that is on no branch: the last column is filled with the first child's token."""
    emitted = TreeRule().sampler(tree, target_probs, draft_probs, rng)
    return np.where(emitted < 0, tree.tokens[:, 1:2], emitted)


def _of_tree(name: str, title: str, rule: TreeRule, needs: str, witness: str, *threads: str) -> Defect:
    return Defect(name, title, Contract.TREE, rule.sampler, rule.law, needs, witness, threads)


TREE_DEFECTS: tuple[Defect, ...] = (
    _of_tree(
        "certain-siblings-by-ratio",
        "certain siblings are tested by min(1, q/p), each against q, as if they had been drawn",
        TreeRule(told=_ratio_of_all, updated=False),
        "certain siblings whose draft law is handed out",
        "certain, two siblings",
        "NVIDIA/TensorRT-LLM#12588",
        "NVIDIA/TensorRT-LLM#15098",
    ),
    _of_tree(
        "tree-siblings-against-old-target",
        "every sibling is tested against q, not against what the rejected ones left of it",
        TreeRule(updated=False),
        "siblings",
        "iid, two siblings",
    ),
    _of_tree(
        "siblings-by-target",
        "siblings are tested in the order of the target's liking, not in that of their drawing",
        TreeRule(likeliest_first=True),
        "drawn siblings",
        "iid, two siblings",
    ),
    _of_tree(
        "elder-siblings-row",
        "after an accepted child, the target's law after its first sibling is used",
        TreeRule(row=_elder_row),
        "two branches, target rows that differ by context",
        "iid, two branches",
    ),
    _of_tree(
        "bonus-beside-the-leaf",
        "the bonus token is drawn from the law before the leaf",
        TreeRule(row=_row_of_parent),
        "target rows that differ by context",
        "iid, two branches",
    ),
    _of_tree(
        "branch-off-by-one",
        "from the second branch on, the target's rows are those of the node before",
        TreeRule(row=_row_before),
        "two branches",
        "iid, two branches",
    ),
    Defect(
        "leaves-the-tree",
        "rows are filled up with tokens of the first branch",
        Contract.TREE,
        leaves_the_tree,
        None,
        "a rejection",
        "",
    ),
)

RECURSIVE_ON_TREES = _of_tree(
    "recursive-on-trees", "siblings in turn, each against what those before it left of the target", TreeRule(), "", ""
)
"""The right rule, for every way of drawing."""
