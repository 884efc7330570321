"""The block optimum: known where one number is 1, proven without rounding, and never below any rule that exists."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from specproof.theory import block_efficiency, optimal_acceptance
from specproof.theory.chain import MarkovChain, TabularModel, random_tabular_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.trees.block_optimum import block_optimum, block_optimum_of_trees
from specproof.theory.trees.draft_trees import DraftTrees, joint_law
from specproof.theory.verifiers import VERIFIERS

TOLERANCE = 1e-9
"""Sums of some hundred masses that HiGHS keeps to 1e-10."""


def block_verification(draft: TabularModel, target: TabularModel, length: int) -> float:
    """E[tau] of block verification by enumeration of the drafts: the sum of E[w_l], w_l = min(1, w_{l-1} q/p)."""
    total = 0.0
    for text in product(range(draft.num_states), repeat=length):
        weight, chance, reached = 1.0, 1.0, 0.0
        for depth in range(length):
            p, q = (model.conditionals[depth][text[: depth + 1]] for model in (draft, target))
            chance *= p
            weight = min(1.0, weight * q / p) if p else 0.0
            reached += weight
        total += chance * reached
    return total


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("tokens", "length"), [(2, 2), (3, 2), (2, 3)])
def test_block_verification_reaches_it_with_one_sequence(seed: int, tokens: int, length: int) -> None:
    pair = random_tabular_pair(tokens, length, np.random.default_rng(seed))
    found = block_optimum(*pair, 1, length)
    assert found.accepted_length == pytest.approx(block_verification(*pair, length), abs=TOLERANCE)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_it_is_the_optimal_acceptance_at_length_1(count: int) -> None:
    draft, target = random_tabular_pair(4, 1, np.random.default_rng(count))
    exact = float(optimal_acceptance(draft.conditionals[0], target.conditionals[0], count))
    assert block_optimum(draft, target, count, 1).accepted_length == pytest.approx(exact, abs=TOLERANCE)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("verifier", list(VERIFIERS))
def test_no_rule_level_by_level_is_above_it(seed: int, verifier: str) -> None:
    pair = random_tabular_pair(3, 3, np.random.default_rng(seed))
    rule = block_efficiency(*pair, num_drafts=2, length=2, verifier=verifier) - 1.0
    assert rule <= float(block_optimum(*pair, 2, 2).highest) + TOLERANCE


def test_optimal_levels_are_no_optimal_blocks() -> None:
    pair = random_tabular_pair(3, 3, np.random.default_rng(0))
    levels = block_efficiency(*pair, num_drafts=2, length=2, verifier="priority") - 1.0
    assert levels < float(block_optimum(*pair, 2, 2).lowest) - 0.01


@pytest.mark.parametrize("seed", range(4))
def test_the_proof_is_tight(seed: int) -> None:
    found = block_optimum(*random_tabular_pair(3, 2, np.random.default_rng(seed)), 3, 2)
    assert isinstance(found.lowest, Fraction)
    assert 0 <= found.highest - found.lowest < 1e-12


def test_what_is_accepted_can_be_completed_to_the_target() -> None:
    _, target = pair = random_tabular_pair(3, 2, np.random.default_rng(7))
    accepted = block_optimum(*pair, 2, 2).accepted
    for node, mass in accepted.items():
        above = accepted[node[:-1]] if len(node) > 1 else 1.0
        assert mass <= above * target.conditionals[len(node) - 1][node] + 1e-15


def test_any_prices_bound_and_only_good_ones_are_tight() -> None:
    from specproof.theory.rationals import as_fractions
    from specproof.theory.trees.block_optimum import _dual_value

    draft, target = random_tabular_pair(2, 2, np.random.default_rng(1))
    trees, found = DraftTrees.sequences(draft, 2, 2), block_optimum(draft, target, 2, 2)
    exact = {node: as_fractions(target.conditionals[len(node) - 1][node[:-1]])[node[-1]] for node in found.prices}
    nodes, weights = sorted(found.prices, key=lambda node: (len(node), node)), as_fractions(trees.probability)
    for scale in (0.0, 0.5, 2.0):
        other = {node: scale * price for node, price in found.prices.items()}
        assert _dual_value(trees, nodes, weights, other, exact) > found.highest


def test_equal_models_accept_everything() -> None:
    _, target = random_tabular_pair(2, 3, np.random.default_rng(2))
    assert block_optimum(target, target, 1, 3).accepted_length == pytest.approx(3.0, abs=TOLERANCE)


def test_disjoint_models_accept_nothing() -> None:
    draft, target = (MarkovChain(start, [start] * 2, 2) for start in ([1.0, 0.0], [0.0, 1.0]))
    found = block_optimum(draft, target, 3, 2)
    assert found.lowest == found.highest == 0


def test_a_certain_tree_accepts_what_the_target_passes() -> None:
    _, target = random_tabular_pair(3, 2, np.random.default_rng(3))
    nodes = ((0,), (2,), (2, 0), (2, 1))
    passed = sum(float(joint_law(target, len(node), "target")[node]) for node in nodes)
    found = block_optimum_of_trees(DraftTrees.of({nodes: 1.0}), target)
    assert found.accepted_length == pytest.approx(passed, abs=TOLERANCE)


def test_an_empty_tree_among_others() -> None:
    target = MarkovChain([0.5, 0.5], [[0.5, 0.5]] * 2, 2)
    found = block_optimum_of_trees(DraftTrees.of({(): 0.5, ((0,),): 0.5}), target)
    assert found.accepted_length == pytest.approx(0.5, abs=TOLERANCE)


def test_tiny_probabilities() -> None:
    draft, target = (MarkovChain([1e-300, 1.0], [[1e-12, 1.0], [0.5, 0.5]], 2) for _ in range(2))
    found = block_optimum(draft, target, 2, 2)
    assert found.highest - found.lowest < 1e-9
    assert found.accepted_length == pytest.approx(2.0, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("law", "message"),
    [
        ({((0,), (0,)): 1.0}, r"law has a tree with the node \(0,\) twice"),
        ({((0, 1),): 1.0}, r"tree 0 has the node \(0, 1\) and not \(0,\)"),
        ({(): 1.0}, "law has no tree with a node"),
        ({((0,),): 0.4}, "law"),
        ({((0.5,),): 1.0}, "a node a tuple of tokens"),
        ({(0,): 1.0}, "a node a tuple of tokens"),
    ],
)
def test_bad_laws_of_trees(law: dict[tuple[tuple[int, ...], ...], float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        DraftTrees.of(law)


def test_what_does_not_fit() -> None:
    two, three = (random_tabular_pair(size, 2, np.random.default_rng(0))[0] for size in (2, 3))
    with pytest.raises(InvalidInput, match="draft has num_states 2 and target 3"):
        block_optimum(two, three, 1, 2)
    with pytest.raises(InvalidInput, match="length is 3 but draft has horizon 2"):
        block_optimum(two, two, 1, 3)
    with pytest.raises(InvalidInput, match=r"trees has the node .*, and target has 2 tokens: number them 0..1"):
        block_optimum_of_trees(DraftTrees.of({((2,),): 1.0}), two)
    with pytest.raises(InvalidInput, match="and the trees are 3 deep"):
        block_optimum_of_trees(DraftTrees.of({((0,), (0, 0), (0, 0, 0)): 1.0}), two)
    large = MarkovChain(np.full(70, 1 / 70), np.full((70, 70), 1 / 70), 2)
    with pytest.raises(InvalidInput, match="4900 sequences, more than 4096"):
        block_optimum(large, large, 2, 2)
