"""Priority layer verification of given drafts: the law of the lift by other formulas, losslessly, on any tree."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from specproof import (
    InvalidInput,
    LayerTree,
    PriorityCoupling,
    TabularModel,
    block_verification,
    priority_layers,
    random_tabular_pair,
)
from specproof.simulations.claims.texts.reach_weights import degenerate_pairs
from specproof.simulations.claims.trees.enumerated_layers import layers_by_enumeration
from specproof.theory.independent.sequences_by_enumeration import completed
from specproof.theory.trees.draft_trees import Node, laws_of
from specproof.theory.trees.layers import layer_law, lift
from specproof.theory.trees.priority_layers import PriorityLayers, weigh_layers
from specproof.theory.trees.rules.registry import by_block
from specproof.theory.verifiers import VERIFIERS

TOLERANCE = 1e-12
"""Sums of some thousand products, beside Gauss-Legendre sums."""

SHAPES = ((-1, -1, 0), (-1, -1, 0, 0, 1), (-1, 0, 0, 1, 2), (-1, -1, -1, 1, 1), (-1, 0, 1, 1))

Pair = tuple[TabularModel, TabularModel]


def weighed(pair: Pair, sequences: np.ndarray) -> PriorityLayers:
    """Weigh one tree of K sequences, shape (K, L)."""
    count, length = sequences.shape
    rows = [
        [model.conditionals[0]]
        + [model.conditionals[n][tuple(sequences[k, :n])] for n in range(1, depth) for k in range(count)]
        for model, depth in zip(pair, (length, length + 1), strict=True)
    ]
    return priority_layers(*rows, sequences.T.reshape(-1), LayerTree.sequences(count, length))


def blocks_of(made: PriorityLayers, sequences: np.ndarray) -> dict[Node, float]:
    found: dict[Node, float] = {}
    for draft, token, chance in made.emitted(0):
        node = (*sequences[draft % len(sequences), : draft // len(sequences) + 1], token) if draft >= 0 else (token,)
        found[tuple(map(int, node))] = found.get(tuple(map(int, node)), 0.0) + chance
    return found


@pytest.mark.parametrize(("tokens", "length", "count"), [(3, 2, 2), (2, 3, 3), (4, 2, 3), (3, 1, 4), (4, 3, 1)])
@pytest.mark.parametrize("concentration", [0.1, 1.0, 5.0])
def test_given_drafts_have_the_law_of_the_lift(tokens: int, length: int, count: int, concentration: float) -> None:
    rng = np.random.default_rng(21)
    pair = random_tabular_pair(tokens, length + 1, rng, concentration=concentration)
    words = np.array(list(product(range(tokens), repeat=length)))
    for _ in range(20):
        sequences = words[rng.integers(len(words), size=count)]
        ours, theirs = (
            blocks_of(weighed(pair, sequences), sequences),
            by_block(lift(*map(laws_of, pair), sequences, VERIFIERS["priority"])),
        )
        for node in ours.keys() | theirs.keys():
            assert ours.get(node, 0.0) == pytest.approx(theirs.get(node, 0.0), abs=TOLERANCE)


@pytest.mark.parametrize("name", degenerate_pairs())
def test_degenerate_pairs_have_the_law_of_the_lift(name: str) -> None:
    pair = degenerate_pairs()[name]
    blocks, known = layers_by_enumeration(*pair, LayerTree.sequences(2, 2)), layer_law(*pair, 2, 2, "priority")
    for block in blocks:
        for node in np.ndindex(block.shape):
            assert block[node] == pytest.approx(known.emitted.get(node, 0.0), abs=TOLERANCE)


@pytest.mark.parametrize("parents", SHAPES)
def test_it_is_lossless_on_trees_of_any_shape(parents: tuple[int, ...]) -> None:
    tree = LayerTree(parents)
    for seed in range(5):
        pair = random_tabular_pair(2 + seed % 2, tree.length + 1, np.random.default_rng(seed))
        found = completed(layers_by_enumeration(*pair, tree), pair[1])
        np.testing.assert_allclose(found, pair[1].joint(), atol=TOLERANCE)


def test_one_sequence_is_block_verification() -> None:
    rng = np.random.default_rng(22)
    draft, target = rng.dirichlet(np.full(5, 0.5), (50, 3)), rng.dirichlet(np.full(5, 0.5), (50, 4))
    drafts = np.array([[rng.choice(5, p=row) for row in rows] for rows in draft])
    made, known = (
        priority_layers(draft, target, drafts, LayerTree.sequences(1, 3)),
        block_verification(draft, target, drafts),
    )
    np.testing.assert_allclose(made.weights, known.weights, atol=TOLERANCE)
    np.testing.assert_allclose(made.accepted, known.accepted, atol=TOLERANCE)


def test_one_layer_is_the_priority_coupling_on_average() -> None:
    draft, target = np.array([0.5, 0.25, 0.25, 0.0]), np.array([0.1, 0.2, 0.3, 0.4])
    drafts = np.array(list(product(range(3), repeat=3)))
    rows = np.broadcast_to(draft, (27, 1, 4)), np.broadcast_to(target, (27, 4, 4))
    made = priority_layers(*rows, drafts, LayerTree.sequences(3, 1))
    mean = draft[drafts].prod(axis=1) @ made.weights[:, 1]
    assert mean == pytest.approx(float(PriorityCoupling(draft, target, 3).acceptance), abs=TOLERANCE)


def test_a_tolerance_costs_acceptance_and_no_more() -> None:
    rng = np.random.default_rng(23)
    draft, target = (rng.dirichlet(np.ones(500), (1, rows)) for rows in (1, 5))
    drafts = rng.choice(500, 4, p=draft[0, 0])[np.newaxis]
    exact, near = (priority_layers(draft, target, drafts, LayerTree.sequences(4, 1), loss) for loss in (0.0, 1e-4))
    assert -1e-15 <= near.masses[0, 0] - exact.masses[0, 0] <= 1e-4
    assert near.masses[0, 0] != exact.masses[0, 0]


def test_equal_laws_keep_everything() -> None:
    row = [0.5, 0.25, 0.25]
    made = priority_layers([row] * 4, [row] * 7, [0, 1, 1, 2, 0, 0], LayerTree.sequences(3, 2))
    np.testing.assert_allclose(made.accepted, [[0.0, 0.0, 1.0]], atol=1e-15)


def test_more_drafts_than_tokens_and_equal_siblings_are_drafts_like_others() -> None:
    made = priority_layers([[0.5, 0.5]], [[0.25, 0.75]] * 6, [0, 0, 0, 0, 1], [-1] * 5)
    assert made.nodes[1].draft.tolist() == [0, 4]
    assert made.weights[0, 1] == pytest.approx(1.0, abs=1e-15)


def test_a_row_of_zeros_ends_the_tree() -> None:
    draft, target = np.array([[[0.5, 0.5], [0.0, 0.0]]]), np.full((1, 3, 2), 0.5)
    made = weigh_layers(draft, target, np.array([[1, 0]]), LayerTree((-1, 0)))
    np.testing.assert_allclose(made.accepted, [[0.0, 1.0, 0.0]], atol=1e-15)


HALF = [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"draft": HALF}, r"draft has 1 rows a tree, and 2 are needed: the root's, and one for each draft up to 0"),
        ({"target": HALF * 2}, "target has 2 rows a tree, and 3 are needed"),
        ({"draft": [[1.0, 1.0]] * 2}, "row 0 of draft sums to 2"),
        ({"draft": [[1.0, 0.0]] * 2}, r"drafts\[0, 1\] has draft probability 0"),
        ({"drafts": [0, 2]}, r"drafts\[0, 1\] is 2: it must be a token, in 0..1"),
        ({"drafts": [0]}, "one for each draft of the tree"),
        ({"drafts": [0.5, 1.0]}, "one for each draft of the tree"),
        ({"drafts": [[0], [0, 1]]}, "drafts is not an array of integers"),
        ({"drafts": [[0, 1]] * 2}, "beside 2 trees"),
        ({"tree": [0, -1]}, r"parents\[0\] is 0: it must be a draft before 0"),
        ({"tree": []}, "a tree of depth 0"),
        ({"tolerance": 0.5}, "tolerance is 0.5"),
    ],
)
def test_what_does_not_fit(changed: dict[str, Any], message: str) -> None:
    valid = {"draft": HALF * 2, "target": HALF * 3, "drafts": [0, 1], "tree": [-1, 0]}
    priority_layers(**valid)
    with pytest.raises(InvalidInput, match=message):
        priority_layers(**(valid | changed))
