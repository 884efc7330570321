"""One tree drafted by given numbers: over all numbers it has the law that enumerations take."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from specproof.simulations.tree_samplers.tree_drafting import drafted_tree
from specproof.theory.chain import TabularModel
from specproof.theory.trees.branches import Branches, nodes_of
from specproof.theory.trees.draft_trees import laws_of
from specproof.theory.trees.drawn_trees import DRAWS, drawn_trees

TWELFTHS = (np.arange(12) + 0.5) / 12
"""Numbers that stand for all, where every chance is a multiple of 1/12."""

MODEL = TabularModel([[0.5, 0.25, 0.25], [[0.5, 0.5, 0.0], [0.0, 0.25, 0.75], [0.25, 0.5, 0.25]]])


def counted(draws: str, num_drafts: int, length: int) -> dict[Branches, float]:
    law: dict[Branches, float] = {}
    for numbers in product(TWELFTHS, repeat=num_drafts * length):
        tree = drafted_tree(draws, laws_of(MODEL), num_drafts, length, np.reshape(numbers, (num_drafts, length)))
        law[tree] = law.get(tree, 0.0) + 12.0 ** -(num_drafts * length)
    return law


@pytest.mark.parametrize(
    ("draws", "count", "length"),
    [(draws, *size) for draws in DRAWS for size in ((2, 1), (1, 2)) if draws != "hub" or size[0] == 2],
)
def test_trees_are_drafted_as_often_as_is_stated(draws: str, count: int, length: int) -> None:
    stated: dict[Branches, float] = {}
    for tree, chance in drawn_trees(draws, MODEL, count, length):
        stated[tree] = stated.get(tree, 0.0) + chance
    assert counted(draws, count, length) == pytest.approx(stated, abs=1e-12)


@pytest.mark.parametrize("draws", DRAWS)
def test_what_is_not_read_yet_is_not_asked_for(draws: str) -> None:
    law, numbers = laws_of(MODEL), np.array([[0.3, 0.9], [0.7, 0.1]])
    read: set[tuple[int, ...]] = {()}

    def known(node: tuple[int, ...]) -> np.ndarray:
        assert node in read
        return law(node)

    read |= set(nodes_of(drafted_tree(draws, known, 2, 2, numbers, depth=1)))
    assert drafted_tree(draws, known, 2, 2, numbers) == drafted_tree(draws, law, 2, 2, numbers)
