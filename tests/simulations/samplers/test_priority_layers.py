"""Priority layer verification drawn: its decisions for given drafts to 1e-12, and whole calls by simulation.

Statistical tests: level 1e-8 each, 100,000 calls, deviations of 0.02 in any probability are seen with 0.99 (each test
asserts it). Seeds are fixed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from chains import chains

from specproof import InvalidInput, LayerTree, random_tabular_pair
from specproof.simulations.claims.trees.enumerated_layers import layers_by_enumeration
from specproof.simulations.samplers import whole_blocks
from specproof.simulations.samplers.priority_layers import Layered, choose, simulate_layers, verify
from specproof.simulations.samplers.sequences import complete
from specproof.simulations.statistics import check_law
from specproof.theory.distribution import Array
from specproof.theory.trees.draft_trees import Node, laws_of
from specproof.theory.trees.layers import lift
from specproof.theory.trees.priority_layers import weigh_layers
from specproof.theory.trees.rules.registry import by_block
from specproof.theory.verifiers import VERIFIERS

LEVEL, TRIALS = 1e-8, 100_000
LONG = {name: pair for name, pair in chains().items() if pair[0].horizon > 2}
TOLD = ("non-stationary", "stationary draft")
"""The gate has these; the other chains differ in their numbers alone."""
BISECTIONS = 60


def decisions(draft: Array, target: Array, drafts: np.ndarray, tree: LayerTree) -> dict[tuple[int, int], float]:
    """The law of (draft, token) for given drafts, found by halving intervals of the uniforms that decide."""

    def ask(uniforms: Array) -> Layered:
        rows = [np.repeat(part[np.newaxis], len(uniforms), axis=0) for part in (draft, target, drafts)]
        return verify(*rows, uniforms, tree)

    length, size = tree.length, target.shape[-1]
    low, high = np.zeros(length), np.ones(length)
    for _ in range(BISECTIONS):  # a uniform at depth l + 1 is asked with all deeper ones refused
        middle = (low + high) / 2
        asked = np.full((length, length + 1), np.nextafter(1.0, 0.0))
        asked[np.arange(length), np.arange(length)] = middle
        stops = ask(asked).accepted == np.arange(1, length + 1)
        low, high = np.where(stops, middle, low), np.where(stops, high, middle)
    law: dict[tuple[int, int], float] = {}
    passed = 1.0
    for depth in range(length, -1, -1):
        chance = passed * (low[depth - 1] if depth else 1.0)
        passed -= chance
        for outcome, share in _last(ask, depth, length, len(drafts) * size + size).items():
            law[outcome] = law.get(outcome, 0.0) + chance * share
    return law


def _last(ask: Callable[[Array], Layered], depth: int, length: int, most: int) -> dict[tuple[int, int], float]:
    """The shares of the last uniform that lead to each outcome at one depth, which lie in a row."""
    base = np.full(length + 1, np.nextafter(1.0, 0.0))
    if depth:
        base[depth - 1] = 0.0
    shares, start = {}, 0.0
    for _ in range(most):
        base[-1] = start
        found = ask(base[np.newaxis])
        if found.accepted[0] != depth:
            return {}  # never stopped here
        outcome = int(found.draft[0]), int(found.tokens[0])
        low, high = start, 1.0
        for _ in range(BISECTIONS):
            base[-1] = min((low + high) / 2, np.nextafter(1.0, 0.0))
            there = ask(base[np.newaxis])
            same = (int(there.draft[0]), int(there.tokens[0])) == outcome
            low, high = (base[-1], high) if same else (low, base[-1])
        shares[outcome] = high - start
        start = high
        if high >= 1.0 - 1e-15:
            break
    return shares


@pytest.mark.parametrize(
    ("tokens", "length", "count", "seed"),
    [
        pytest.param(3, 2, 2, 0, marks=pytest.mark.slow),
        pytest.param(2, 2, 3, 1, marks=pytest.mark.slow),
        (3, 1, 3, 2),
        pytest.param(2, 3, 2, 3, marks=pytest.mark.slow),
    ],
)
def test_decisions_for_given_drafts_have_the_law_of_the_lift(tokens: int, length: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pair = random_tabular_pair(tokens, length + 1, rng)
    words, tree = np.array(list(product(range(tokens), repeat=length))), LayerTree.sequences(count, length)
    for _ in range(3):
        sequences = words[rng.integers(len(words), size=count)]
        rows = [
            np.array([model.conditionals[0]] + [model.conditionals[n][tuple(w[:n])] for n in depths for w in sequences])
            for model, depths in zip(pair, (range(1, length), range(1, length + 1)), strict=True)
        ]
        found: dict[Node, float] = {}
        for (draft, token), chance in decisions(*rows, sequences.T.reshape(-1), tree).items():
            way = sequences[draft % count, : draft // count + 1].tolist() if draft >= 0 else []
            found[(*way, token)] = found.get((*way, token), 0.0) + chance
        known = by_block(lift(*map(laws_of, pair), sequences, VERIFIERS["priority"]))
        for node in found.keys() | known.keys():
            assert found.get(node, 0.0) == pytest.approx(known.get(node, 0.0), abs=1e-12)


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in TOLD else pytest.mark.slow) for name in LONG])
def test_calls_have_the_law_of_the_algorithm(name: str) -> None:
    draft, target = LONG[name]
    tree, rng = LayerTree.sequences(2, 2), np.random.default_rng(161)
    blocks = simulate_layers(draft, target, tree, TRIALS, rng)
    enumerated = layers_by_enumeration(draft.tabulate(), target.tabulate(), tree)
    lengths = check_law(blocks.accepted, np.minimum([block.sum() for block in enumerated], 1.0), LEVEL)
    law = target.tabulate().joint()
    law = law.sum(axis=tuple(range(3, law.ndim)))
    texts = check_law(np.ravel_multi_index(tuple(complete(blocks, target, rng).T), law.shape), law.reshape(-1), LEVEL)
    for check in (lengths, texts):
        assert check.detectable <= 0.02
        assert not check.is_refuted


def test_a_tree_of_another_shape_emits_the_target() -> None:
    draft, target = LONG["non-stationary"]
    rng = np.random.default_rng(162)
    blocks = simulate_layers(draft, target, LayerTree((-1, -1, 0, 0, 1)), TRIALS, rng)
    law = target.tabulate().joint()
    law = law.sum(axis=tuple(range(3, law.ndim)))
    check = check_law(np.ravel_multi_index(tuple(complete(blocks, target, rng).T), law.shape), law.reshape(-1), LEVEL)
    assert check.detectable <= 0.02
    assert not check.is_refuted


def test_stopping_too_often_is_refuted() -> None:
    def hasty(draft: Array, target: Array, drafts: np.ndarray, uniforms: Array, tree: LayerTree) -> Layered:
        made = weigh_layers(draft, target, drafts, tree)
        return choose(dataclasses.replace(made, masses=np.minimum(made.masses * 1.2, 1.0)), uniforms)

    draft, target = LONG["non-stationary"]
    rng = np.random.default_rng(163)
    blocks = simulate_layers(draft, target, LayerTree.sequences(2, 2), TRIALS, rng, hasty)
    law = target.tabulate().joint()
    law = law.sum(axis=tuple(range(3, law.ndim)))
    assert check_law(
        np.ravel_multi_index(tuple(complete(blocks, target, rng).T), law.shape), law.reshape(-1), LEVEL
    ).is_refuted


def test_one_sequence_is_decided_as_block_verification_does() -> None:
    rng = np.random.default_rng(164)
    draft, target = rng.dirichlet(np.ones(4), (500, 3)), rng.dirichlet(np.ones(4), (500, 4))
    drafts, uniforms = rng.integers(4, size=(500, 3)), rng.random((500, 4))
    found = verify(draft, target, drafts, uniforms, LayerTree.sequences(1, 3))
    known = whole_blocks.verify(draft, target, drafts, uniforms)
    assert found.accepted.tolist() == known.accepted.tolist()
    assert found.tokens.tolist() == known.tokens.tolist()
    assert found.draft.tolist() == (known.accepted - 1).tolist()


def test_what_does_not_fit() -> None:
    rows = np.full((1, 1, 2), 0.5), np.full((1, 3, 2), 0.5)
    drafts, uniforms, tree = np.array([[0, 1]]), np.full((1, 2), 0.5), LayerTree((-1, -1))
    with pytest.raises(InvalidInput, match=r"target has shape \(1, 2, 2\): 1 trees of 2 drafts take \(1, 3, 2\)"):
        verify(rows[0], rows[1][:, :2], drafts, uniforms, tree)
    with pytest.raises(InvalidInput, match=r"draft has shape \(1, 0, 2\)"):
        verify(rows[0][:, :0], rows[1], drafts, uniforms, tree)
    with pytest.raises(InvalidInput, match=r"uniforms has shape \(1, 3\)"):
        verify(*rows, drafts, np.full((1, 3), 0.5), tree)
    draft, target = LONG["non-stationary"]
    with pytest.raises(InvalidInput, match="tree has depth 4: it must lie in"):
        simulate_layers(draft, target, LayerTree.sequences(1, 4), 1, np.random.default_rng(0))
