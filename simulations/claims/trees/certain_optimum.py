"""Trees by design: the best certain tree, and the best tree of independent siblings, against all trees enumerated."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.chain import TabularModel, random_tabular_pair
from specproof.theory.distribution import Array
from specproof.theory.trees.block_optimum import block_optimum_of_trees
from specproof.theory.trees.branches import likeliest_prefixes, nested
from specproof.theory.trees.draft_trees import DraftTrees, Node, laws_of
from specproof.theory.trees.rules.levels import target_draw, walk
from specproof.theory.trees.shapes import best_certain_tree, best_sibling_tree
from specproof.theory.verifiers import VERIFIERS

SOLVED = 1e-9
"""Masses that a linear program keeps to 1e-10, some dozens of them."""

SIZES = ((2, 3, 5), (3, 2, 4))
"""Tokens V, depth L and nodes N of the trees."""

Shape = tuple["Shape", ...]
"""The children of a node, each by its own children."""


def _cells(settings: Settings) -> list[Cell]:
    instances = settings.sized(12, 120)
    cells = []
    for tokens, length, nodes in SIZES:
        sizes = {"tokens": tokens, "length": length, "nodes": nodes, "instances": instances}
        cells.append(Cell(CLAIM.id, f"certain-V{tokens}-L{length}-N{nodes}", certain, sizes))
        cells.append(Cell(CLAIM.id, f"siblings-V{tokens}-L{length}-N{nodes}", siblings, sizes))
    return cells


CLAIM = Claim(
    "trees.certain-optimum",
    "specproof.theory.trees.shapes; Sequoia, arXiv 2402.12374, with acceptances that know the context",
    "The best certain tree holds the target's likeliest prefixes, the best tree of siblings what is accepted most.",
    _cells,
)


def certain(context: CellContext, tokens: int, length: int, nodes: int, instances: int) -> Findings:
    """Compare the likeliest prefixes with every certain tree of as many nodes, with the walk, and with the optimum."""
    worst = Worst(tokens=tokens, length=length, nodes=nodes)
    for _ in range(instances):
        draft, target = _pair(context.rng, tokens, length)
        found = best_certain_tree(target, nodes, length)
        accepted = sum(found.chances)
        best = max(_certain_length(target, tree) for tree in certain_trees(tokens, length, nodes))
        worst.see("likeliest prefixes against the best of all trees", accepted - best)
        walked = walk(target_draw)(laws_of(draft), laws_of(target), 1, length)(nested(found.nodes))
        by_walk = sum(len(path) * float(ends.sum()) for path, ends in walked)
        worst.see("expected accepted length of the walk", by_walk - accepted)
        optimum = block_optimum_of_trees(DraftTrees.of({tuple(found.nodes): 1.0}), target)
        worst.see("block optimum of the tree", optimum.accepted_length - accepted, tolerance=SOLVED)
        by_draft = _certain_length(target, tuple(likeliest_prefixes(laws_of(draft), nodes, length)))
        worst.see("the draft's likeliest prefixes instead", best - by_draft, method=Method.CONTROL)
    return Findings(worst.rows())


def siblings(context: CellContext, tokens: int, length: int, nodes: int, instances: int) -> Findings:
    """Compare the best shape with all shapes of as many nodes, each enumerated draft by draft."""
    worst = Worst(tokens=tokens, length=length, nodes=nodes)
    for _ in range(instances):
        pair = _pair(context.rng, tokens, length)
        lengths = {shape: sibling_length(*pair, shape) for shape in shapes(nodes, length)}
        found = best_sibling_tree(*pair, nodes, length)
        worst.see("best shape against the best of all shapes", sum(found.chances) - max(lengths.values()))
        worst.see("expected accepted length of the best shape", sum(found.chances) - lengths[as_shape(found.nodes)])
        flat = sum(best_sibling_tree(*pair, nodes, 1).chances)
        worst.see("children of the root alone", sum(found.chances) - flat, method=Method.CONTROL)
    return Findings(worst.rows())


@cache
def certain_trees(tokens: int, length: int, nodes: int) -> tuple[tuple[Node, ...], ...]:
    """Every certain tree of so many nodes.

    Examples
    --------
    >>> certain_trees(tokens=2, length=2, nodes=1)
    (((0,),), ((1,),))
    """
    grown: set[frozenset[Node]] = {frozenset()}
    for _ in range(nodes):
        grown = {
            tree | {(*parent, token)}
            for tree in grown
            for parent in (*tree, ())
            if len(parent) < length
            for token in range(tokens)
            if (*parent, token) not in tree
        }
    return tuple(sorted(tuple(sorted(tree)) for tree in grown))


@cache
def shapes(nodes: int, length: int) -> tuple[Shape, ...]:
    """Every shape of so many nodes below a root, at most so deep.

    Examples
    --------
    >>> shapes(nodes=2, length=2)
    (((), ()), (((),),))
    """
    if nodes == 0:
        return ((),)
    if length == 0:
        return ()
    return tuple(
        (first, *rest)
        for below in range(nodes)
        for first in shapes(below, length - 1)
        for rest in shapes(nodes - 1 - below, length)
    )


def sibling_length(draft: TabularModel, target: TabularModel, shape: Shape, node: Node = ()) -> float:
    """What recursive rejection accepts of a shape below a node on average, every tuple of siblings enumerated.

    Examples
    --------
    >>> draft, target = (TabularModel([law]) for law in ([0.5, 0.5], [0.25, 0.75]))
    >>> sibling_length(draft, target, ((), ()))
    0.875
    """
    if not shape:
        return 0.0
    proposal, law = draft.conditionals[len(node)][node], target.conditionals[len(node)][node]
    drafts = np.array(list(product(np.flatnonzero(proposal), repeat=len(shape))))
    rule = VERIFIERS["recursive"].given_drafts
    assert rule is not None
    chances: Array = rule(proposal, law, drafts) * proposal[drafts].prod(axis=1, keepdims=True)
    return sum(
        float(chances[drafts[:, child] == token, child].sum())
        * (1.0 + sibling_length(draft, target, below, (*node, token)))
        for child, below in enumerate(shape)
        for token in map(int, np.flatnonzero(proposal))
    )


def as_shape(places: list[Node], place: Node = ()) -> Shape:
    """The shape that has these places.

    Examples
    --------
    >>> as_shape([(0,), (1,), (0, 0)])
    (((),), ())
    """
    children: Iterator[Node] = (it for it in sorted(places) if it[:-1] == place)
    return tuple(as_shape(places, child) for child in children)


def _certain_length(target: TabularModel, tree: tuple[Node, ...]) -> float:
    joint = [target.joint().sum(axis=tuple(range(level, target.horizon))) for level in range(target.horizon + 1)]
    return sum(float(joint[len(node)][node]) for node in tree)


def _pair(rng: np.random.Generator, tokens: int, length: int) -> tuple[TabularModel, TabularModel]:
    return random_tabular_pair(tokens, length + 1, rng, concentration=float(rng.choice([0.3, 1.0, 3.0])))
