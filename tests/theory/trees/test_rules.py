"""The rules for drafted trees: lossless where they say so, and equal to what is known of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from specproof.theory.chain import MarkovChain, TabularModel, random_tabular_pair
from specproof.theory.distribution import Array, dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.independent.sequences_by_enumeration import completed, sequences_by_enumeration
from specproof.theory.trees.block_optimum import block_optimum, block_optimum_of_trees
from specproof.theory.trees.branches import Branches, chain, merged, nodes_of, words
from specproof.theory.trees.drawn_trees import DRAWS, drawn_trees
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.levels import without_replacement
from specproof.theory.trees.rules.multi_block import stated_length
from specproof.theory.trees.rules.registry import TreeVerifier, call_law, drawn_for, register_tree_verifier
from specproof.theory.verifiers import LOOKS, VERIFIERS
from specproof.theory.verifiers.recursive_without_replacement import recursive_rejection_without_replacement

Pair = tuple[TabularModel, TabularModel]
HALF = MarkovChain([0.5, 0.5], [[0.5, 0.5]] * 2, 3)


def pair(tokens: int, length: int, seed: int = 0) -> Pair:
    return random_tabular_pair(tokens, length + 1, np.random.default_rng(seed))


def one_position(draft: Array, target: Array) -> Pair:
    draft_model, target_model = (TabularModel([law, [law] * law.size]) for law in (draft, target))
    return draft_model, target_model


@pytest.mark.parametrize(
    ("name", "size"),
    [
        (name, size)
        for name, rule in TREE_VERIFIERS.items()
        for size in ((3, 1, 2), (2, 2, 2), (3, 2, 1))
        if rule.takes in (None, size[2])
    ],
)
def test_a_rule_is_lossless_where_it_says_so(name: str, size: tuple[int, int, int]) -> None:
    rule, (tokens, length, count) = TREE_VERIFIERS[name], size
    models = pair(tokens, length)
    law = call_law(name, *models, count, length)
    assert sum(law.emitted.values()) == pytest.approx(1.0, abs=1e-12)
    if rule.is_lossless:
        assert law.bias(models[1]) < 1e-12
        optimum = block_optimum_of_trees(merged(drawn_for(rule, *models, count, length)), models[1])
        assert law.mean <= float(optimum.highest) + 1e-12


@pytest.mark.parametrize(("name", "count"), [("hierarchical", 1), ("spectr-gbv", 2)])
def test_a_rule_that_is_not_lossless_is_seen(name: str, count: int) -> None:
    models = pair(3, 2)
    assert call_law(name, *models, count, 2).bias(models[1]) > 1e-3


@pytest.mark.parametrize("draws", DRAWS)
def test_the_probabilities_of_drafted_trees_sum_to_1(draws: str) -> None:
    drawn = drawn_trees(draws, pair(3, 2)[0], 2, 2)
    assert sum(chance for _, chance in drawn) == pytest.approx(1.0, abs=1e-12)
    sizes = {len(list(nodes_of(branches))) for branches, _ in drawn}
    assert sizes == {2 if draws == "greedy" else 4}


def test_distinct_siblings_are_distinct_and_chains_are_read_back() -> None:
    drawn = drawn_trees("distinct", pair(3, 2)[0], 2, 2)
    assert all(len({word[0] for word in words(branches)}) == 2 for branches, _ in drawn)
    assert words(chain((2, 1)) + chain((0, 0))) == [(2, 1), (0, 0)]


@pytest.mark.parametrize("verifier", ["kseq", "recursive", "priority", "single"])
def test_level_by_level_is_spectr_s_algorithm(verifier: str) -> None:
    draft, target = pair(2, 2, 1)
    blocks = sequences_by_enumeration(draft, target, 2, 2, verifier)
    law = call_law(f"{verifier}-levels", draft, target, 2, 2)
    for block in blocks:
        for node in np.ndindex(block.shape):
            assert law.emitted.get(node, 0.0) == pytest.approx(block[node], abs=1e-14)
    assert np.abs(completed(blocks, target) - law.completed(target)).max() < 1e-14
    assert len(blocks) == 3


@pytest.mark.parametrize("name", ["traversal", "traversal-distinct", "best-path", "kseq-layers", "priority-layers"])
def test_on_one_chain_it_is_block_verification(name: str) -> None:
    models = pair(3, 2, 2)
    chains, blocks = call_law(name, *models, 1, 2), call_law("block-verification", *models, 1, 2)
    assert chains.mean == pytest.approx(blocks.mean, abs=1e-13)
    assert blocks.mean == pytest.approx(block_optimum(*models, 1, 2).accepted_length, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_canonical_decomposition_is_optimal_at_one_position(seed: int) -> None:
    models = pair(4, 1, seed)
    best = call_law("priority-levels", *models, 2, 1).mean
    assert call_law("canonical", *models, 2, 1).mean == pytest.approx(best, abs=1e-9)


def test_distinct_siblings_have_the_law_of_recursive_rejection() -> None:
    draft, target = dirichlet(4, 1.0, np.random.default_rng(3), 2)
    stated = recursive_rejection_without_replacement(draft, target, 3)
    assert call_law("sequoia", *one_position(draft, target), 3, 1).mean == pytest.approx(stated.acceptance, abs=1e-13)
    goes_on, ends = without_replacement(draft, target, (2, 0))
    assert goes_on.sum() + ends.sum() == pytest.approx(1.0, abs=1e-14)


def test_one_race_matches_as_often_as_its_formula_says() -> None:
    draft, target = dirichlet(4, 1.0, np.random.default_rng(4), 2)
    ratios = np.maximum(draft[:, np.newaxis] / draft, target[:, np.newaxis] / target)
    assert call_law("gumbel-list", *one_position(draft, target), 1, 1).mean == pytest.approx(
        (1.0 / ratios.sum(axis=0)).sum()
    )


def test_two_races_match_as_often_as_when_they_are_run() -> None:
    rng = np.random.default_rng(5)
    draft, target = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.2, 0.6])
    times = rng.exponential(size=(200_000, 2, 3))
    drafts, token = (times / draft).argmin(axis=2), (times / target).min(axis=1).argmin(axis=1)
    matched = (drafts == token[:, np.newaxis]).any(axis=1).mean()
    assert call_law("gumbel-list", *one_position(draft, target), 2, 1).mean == pytest.approx(matched, abs=0.005)


def test_top_and_one_accepts_what_its_formula_says() -> None:
    draft, target = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.1, 0.7])
    stated = target[0] + np.minimum(draft[1:] / 0.5, target[1:]).sum()
    assert call_law("top-and-one", *one_position(draft, target), 2, 1).mean == pytest.approx(stated, abs=1e-15)


def test_the_best_of_two_paths_may_be_worse_than_one() -> None:
    models = one_position(np.array([0.5, 0.5]), np.array([0.5, 0.5]))
    assert [call_law("best-path", *models, count, 1).mean for count in (1, 2)] == [1.0, 0.75]


def test_what_spectr_gbv_states_is_below_what_is_possible() -> None:
    models = one_position(np.array([0.5, 0.5]), np.array([0.25, 0.75]))
    assert stated_length(*models, 2, 1) == pytest.approx(11 / 12)
    assert block_optimum(*models, 2, 1).accepted_length == pytest.approx(1.0)


def test_a_rule_is_registered_once_and_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry in (TREE_VERIFIERS, LOOKS):
        monkeypatch.setattr(registry, "_items", dict(registry._items))
    mine = replace(TREE_VERIFIERS["traversal"], name="mine")
    register_tree_verifier(mine)
    register_tree_verifier(mine)
    assert call_law("mine", HALF, HALF, 2, 1).mean == 1.0
    with pytest.raises(InvalidInput, match="name is 'mine': another"):
        register_tree_verifier(replace(mine, label="other"))
    with pytest.raises(InvalidInput, match="verifier is a Verifier: give a TreeVerifier"):
        register_tree_verifier(VERIFIERS["kseq"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "count", "length", "message"),
    [
        ("none", 2, 1, "verifier is 'none': it must be one of"),
        ("spechub", 3, 1, "num_drafts is 3, and spechub takes 2: give num_drafts=2"),
        ("block-verification", 2, 1, "num_drafts is 2, and block-verification takes 1"),
        ("sequoia", 3, 1, "num_drafts is 3, and only 2 first tokens can be drafted"),
        ("traversal", 2, 3, "length is 3 but the models have horizon 3"),
        ("traversal", 20, 2, "num_drafts is 20, and the drafts make more than 100,000 trees"),
        ("traversal", 0, 2, "num_drafts is 0"),
        ("traversal", 2, 0, "length is 0"),
    ],
)
def test_bad_input_is_refused_in_one_line(name: str, count: int, length: int, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        call_law(name, HALF, HALF, count, length)
    assert "\n" not in str(caught.value)


def test_a_way_to_draft_that_does_not_exist_is_refused() -> None:
    rule: TreeVerifier = replace(TREE_VERIFIERS["traversal"], draws="none")
    with pytest.raises(InvalidInput, match="draws is 'none': it must be one of distinct"):
        call_law(rule, HALF, HALF, 2, 1)


def test_a_certain_tree_holds_what_can_come() -> None:
    branches: Branches = drawn_trees("likeliest", MarkovChain([1.0, 0.0], [[0.5, 0.5]] * 2, 2), 3, 2)[0][0]
    assert list(nodes_of(branches)) == [(0,), (0, 0), (0, 1)]
