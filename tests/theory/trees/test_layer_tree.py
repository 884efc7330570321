"""Shapes of drafted trees: numbered layer by layer, and everything else refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from specproof import InvalidInput, LayerTree
from specproof.theory.trees.layer_tree import as_tree


def test_sequences_lie_layer_by_layer() -> None:
    tree = LayerTree.sequences(3, 2)
    assert tree.parents == (-1, -1, -1, 0, 1, 2)
    assert (tree.length, tree.parent_rows) == (2, 4)
    assert [layer.tolist() for layer in tree.layers()] == [[-1], [0, 1, 2], [3, 4, 5]]


def test_a_tree_is_taken_from_its_parents() -> None:
    assert as_tree([-1, 0, 0]) == LayerTree((-1, 0, 0))
    assert as_tree(LayerTree((-1,))).parent_rows == 1


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        ((), "parents is empty, a tree of depth 0: give at least one draft"),
        ((1, -1), r"parents\[0\] is 1: it must be a draft before 0"),
        ((-1, 1), r"parents\[1\] is 1: it must be a draft before 1"),
        ((-1, -2), r"parents\[1\] is -2"),
        ((-1, 0, -1), "draft 2 is in layer 1 and the one before it in layer 2: number the drafts layer by layer"),
        ((-1, 0.5), "give an integer for each draft"),
        (7, "tree is a int"),
        ("01", "tree is a str"),
    ],
)
def test_what_is_no_tree(parents: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        as_tree(parents)


@pytest.mark.parametrize(("count", "length"), [(0, 1), (1, 0), (1.5, 1)])
def test_no_sequences_and_no_depth(count: Any, length: Any) -> None:
    with pytest.raises(InvalidInput, match="must be"):
        LayerTree.sequences(count, length)
