"""Trees that are none, and trees that a rule cannot have been given: one line each, whatever door they come in by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from specproof.theory.chain import MarkovChain
from specproof.theory.errors import InvalidInput
from specproof.theory.trees.block_optimum import block_optimum_of_trees
from specproof.theory.trees.branches import Branches
from specproof.theory.trees.draft_trees import DraftTrees
from specproof.theory.trees.drawn_trees import drawn_trees
from specproof.theory.trees.layer_tree import LayerTree
from specproof.theory.trees.priority_layers import priority_layers
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.registry import call_law

HALF = [0.5, 0.5]
MODEL = MarkovChain(HALF, [HALF, HALF], 3)

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "more children than tokens, sequoia": (
        lambda: call_law("sequoia", MODEL, MODEL, 3, 1),
        "num_drafts is 3, and only 2 first tokens can be drafted: take as many distinct drafts at most",
    ),
    "more children than tokens, top-and-one": (
        lambda: call_law("top-and-one", MODEL, MODEL, 3, 1),
        "num_drafts is 3, and only 2 first tokens",
    ),
    "more children than tokens, drawn": (
        lambda: drawn_trees("distinct", MODEL, 3, 1),
        "num_drafts is 3, and only 2 first tokens",
    ),
    "more children than tokens, given": (
        lambda: block_optimum_of_trees(DraftTrees.of({((0,), (1,), (2,)): 1.0}), MODEL),
        r"trees has the node \(2,\), and target has 2 tokens: number them 0..1, and give a node no more children",
    ),
    "a child before its parent": (lambda: LayerTree((-1, 2, 1)), r"parents\[1\] is 2: it must be a draft before 1"),
    "a child before its parent, by parents": (
        lambda: priority_layers([HALF], [HALF] * 3, [0, 1], [1, -1]),
        r"tree, as its parents: parents\[0\] is 1: it must be a draft before 0",
    ),
    "repeated siblings": (
        lambda: DraftTrees.of({((0,), (0,)): 1.0}),
        r"law has a tree with the node \(0,\) twice: siblings of one token are one node",
    ),
    "a node without the one above it": (
        lambda: DraftTrees.of({((0, 1),): 1.0}),
        "tree 0 has the node .*: give the nodes on",
    ),
    "a draft row is missing": (
        lambda: priority_layers([HALF], [HALF] * 4, [0, 1, 0], [-1, -1, 0]),
        "draft has 1 rows a tree, and 2 are needed: the root's, and one for each draft up to 0",
    ),
    "a target row is missing": (
        lambda: priority_layers([HALF, HALF], [HALF] * 3, [0, 1, 0], [-1, -1, 0]),
        "target has 3 rows a tree, and 4 are needed",
    ),
    "a token that is none": (
        lambda: priority_layers([HALF], [HALF] * 3, [0, 2], [-1, -1]),
        r"drafts\[0, 1\] is 2: it must be a token, in 0..1",
    ),
    "depth 0": (lambda: LayerTree(()), "parents is empty, a tree of depth 0: give at least one draft"),
    "depth 0, sequences": (lambda: LayerTree.sequences(2, 0), "length is 0: it must be an integer >= 1"),
    "depth 0, trees": (lambda: DraftTrees.of({(): 1.0}), "law has no tree with a node: give at least one drafted"),
    "depth 0, a call": (lambda: call_law("traversal", MODEL, MODEL, 1, 0), "length is 0: it must be an integer >= 1"),
    "deeper than the models": (lambda: call_law("traversal", MODEL, MODEL, 1, 3), "length is 3 but the models have"),
    "no such rule": (
        lambda: call_law("magic", MODEL, MODEL, 1, 1),
        "verifier is 'magic': it must be one of argmax, best-path, block-verification",
    ),
    "no such draws": (lambda: drawn_trees("magic", MODEL, 1, 1), "draws is 'magic': it must be one of distinct"),
    "a rule of two drafts": (
        lambda: call_law("spechub", MODEL, MODEL, 3, 1),
        "num_drafts is 3, and spechub takes 2: give num_drafts=2",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_tree_for_a_rule_is_one_line(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(InvalidInput, match=f"^{message}") as caught:
        call()
    assert "\n" not in str(caught.value)


def law(_: object) -> np.ndarray:
    return np.array([0.5, 0.5, 0.0])


@pytest.mark.parametrize(
    ("branches", "message"),
    [
        (((0, ()), (0, ())), r"drafts\[1\] is 0, as is drafts\[0\], and siblings are distinct here: draft without"),
        (((0, ()), (1, ()), (0, ())), r"drafts\[2\] is 0, as is drafts\[0\].*no more siblings than tokens$"),
        (((0, ((1, ()), (1, ()))),), r"drafts\[1\] is 1, as is drafts\[0\]"),
        (((0, ()), (2, ())), r"drafts\[1\] is 2, which has draft probability 0: give the law that it was drawn from$"),
        (((0, ()), (3, ())), r"drafts\[1\] is 3: it must be a token, in 0..2$"),
        (((-1, ()),), r"drafts\[0\] is -1: it must be a token, in 0..2$"),
    ],
    ids=["twice", "more than tokens", "below the root", "not drafted", "no token", "padding"],
)
@pytest.mark.parametrize("name", ["sequoia", "traversal-distinct"])
def test_a_tree_that_cannot_have_been_drafted_is_refused_by_rules_for_distinct_siblings(
    name: str, branches: Branches, message: str
) -> None:
    given = TREE_VERIFIERS[name].prepare(law, law, len(branches), 2)
    with pytest.raises(InvalidInput, match=f"^{message}") as caught:
        list(given(branches))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["traversal", "recursive-levels", "gumbel-list"])
def test_rules_for_independent_siblings_take_equal_ones_and_none_that_cannot_be_drafted(name: str) -> None:
    given = TREE_VERIFIERS[name].prepare(law, law, 2, 1)
    assert sum(float(ends.sum()) for _, ends in given(((0, ()), (0, ())))) == pytest.approx(1.0, abs=1e-14)
    with pytest.raises(InvalidInput, match=r"^drafts\[1\] is 2, which has draft probability 0"):
        list(given(((0, ()), (2, ()))))
