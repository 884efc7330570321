"""The best trees against all trees: the claim does it on more models."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.simulations.claims.trees.certain_optimum import as_shape, certain_trees, shapes, sibling_length
from specproof.theory.chain import MarkovChain, random_tabular_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.trees.shapes import best_certain_tree, best_sibling_tree
from specproof.theory.verifiers.recursive import recursive_rejection

HALF = MarkovChain([0.5, 0.5], [[0.5, 0.5]] * 2, 2)


@pytest.mark.parametrize("seed", range(3))
def test_no_shape_of_siblings_accepts_more(seed: int) -> None:
    pair = random_tabular_pair(2, 3, np.random.default_rng(seed))
    found = best_sibling_tree(*pair, nodes=4, length=3)
    lengths = {shape: sibling_length(*pair, shape) for shape in shapes(4, 3)}
    assert sum(found.chances) == pytest.approx(max(lengths.values()), abs=1e-13)
    assert lengths[as_shape(found.nodes)] == pytest.approx(sum(found.chances), abs=1e-13)


def test_chances_never_rise() -> None:
    pair = random_tabular_pair(3, 3, np.random.default_rng(3))
    chances = best_sibling_tree(*pair, nodes=9, length=3).chances
    assert chances == sorted(chances, reverse=True)


def test_at_one_position_it_is_recursive_rejection() -> None:
    draft, target = (MarkovChain(law, [law] * 3, 2) for law in ([0.5, 0.3, 0.2], [0.1, 0.2, 0.7]))
    accepted = sum(best_sibling_tree(draft, target, nodes=3, length=1).chances)
    assert accepted == pytest.approx(recursive_rejection(draft.initial, target.initial, 3).acceptance, abs=1e-15)


def test_equal_models_want_a_chain() -> None:
    assert best_sibling_tree(HALF, HALF, nodes=2, length=2).nodes == [(0,), (0, 0)]


def test_there_are_as_many_trees_as_there_should_be() -> None:
    assert [len(shapes(nodes, nodes)) for nodes in range(5)] == [1, 1, 2, 5, 14]  # Catalan's numbers
    assert len(certain_trees(2, 2, 2)) == 5


def test_a_certain_tree_has_no_node_that_cannot_come() -> None:
    sure = MarkovChain([1.0, 0.0], [[0.0, 1.0], [1.0, 0.0]], 2)
    assert best_certain_tree(sure, nodes=5, length=2).nodes == [(0,), (0, 1)]


@pytest.mark.parametrize(
    ("nodes", "length", "message"), [(0, 1, "nodes is 0"), (2, 0, "length is 0"), (2, 3, "length is 3 but")]
)
def test_bad_input_is_refused_in_one_line(nodes: int, length: int, message: str) -> None:
    for call in (lambda: best_certain_tree(HALF, nodes, length), lambda: best_sibling_tree(HALF, HALF, nodes, length)):
        with pytest.raises(InvalidInput, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)
