"""The layer lift: lossless on the joint law; block verification for one sequence; for one token the rule itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from specproof.theory import block_efficiency
from specproof.theory.chain import MarkovChain, TabularModel, random_tabular_pair
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.trees.block_optimum import block_optimum
from specproof.theory.trees.draft_trees import Node
from specproof.theory.trees.layers import LayerLaw, layer_law
from specproof.theory.verifiers import VERIFIERS, Verifier

TOLERANCE = 1e-13
"""Sums of some thousand products, each rounded at 1e-16."""


def joint_of(law: LayerLaw, target: TabularModel, length: int) -> Array:
    """The law of the first L + 1 tokens, the target going on where a call has emitted fewer."""
    found = np.zeros((target.num_states,) * (length + 1))

    def go_on(node: Node, mass: float) -> None:
        if len(node) == length + 1:
            found[node] += mass
            return
        for token, chance in enumerate(target.conditionals[len(node)][node]):
            go_on((*node, token), mass * float(chance))

    for node, mass in law.emitted.items():
        go_on(node, mass)
    return found


@pytest.mark.parametrize("verifier", list(VERIFIERS))
@pytest.mark.parametrize(("tokens", "length", "count"), [(3, 2, 2), (2, 3, 2), (2, 2, 3), (3, 1, 3), (3, 2, 1)])
def test_it_is_lossless_on_the_joint_law(verifier: str, tokens: int, length: int, count: int) -> None:
    pair = random_tabular_pair(tokens, length + 1, np.random.default_rng(11))
    law = layer_law(*pair, count, length, verifier)
    assert np.abs(joint_of(law, pair[1], length) - pair[1].joint()).sum() < TOLERANCE
    assert law.accepted_length.sum() == pytest.approx(1.0, abs=TOLERANCE)


def greedy(rule: Verifier) -> Verifier:
    """The rule with a draft's chances doubled, where they leave room: its F is not what it accepts."""

    def given(draft: Array, target: Array, drafts: np.ndarray) -> Array:
        assert rule.given_drafts is not None
        return np.minimum(2 * rule.given_drafts(draft, target, drafts), 1.0 / drafts.shape[1])

    return dataclasses.replace(rule, given_drafts=given)


def test_a_rule_that_accepts_more_than_it_says_is_refuted() -> None:
    pair = random_tabular_pair(3, 3, np.random.default_rng(11))
    law = layer_law(*pair, 2, 2, greedy(VERIFIERS["kseq"]))
    assert np.abs(joint_of(law, pair[1], 2) - pair[1].joint()).sum() > 0.01


@pytest.mark.parametrize("verifier", list(VERIFIERS))
def test_one_sequence_is_optimal_whatever_the_rule(verifier: str) -> None:
    pair = random_tabular_pair(3, 3, np.random.default_rng(12))
    assert layer_law(*pair, 1, 2, verifier).mean == pytest.approx(block_optimum(*pair, 1, 2).accepted_length, abs=1e-9)


@pytest.mark.parametrize("verifier", list(VERIFIERS))
def test_one_token_is_the_rule_itself(verifier: str) -> None:
    draft, target = random_tabular_pair(4, 2, np.random.default_rng(13))
    acceptance = float(VERIFIERS[verifier].law(draft.conditionals[0], target.conditionals[0], 3).acceptance)
    assert layer_law(draft, target, 3, 1, verifier).mean == pytest.approx(acceptance, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("verifier", list(VERIFIERS))
def test_it_lies_between_levels_and_the_optimum(seed: int, verifier: str) -> None:
    pair = random_tabular_pair(2, 3, np.random.default_rng(seed))
    mean = layer_law(*pair, 2, 2, verifier).mean
    assert block_efficiency(*pair, 2, 2, verifier) - 1.0 <= mean + 1e-12
    assert mean <= block_optimum(*pair, 2, 2).accepted_length + 1e-9


def test_degenerate_pairs() -> None:
    _, target = random_tabular_pair(2, 3, np.random.default_rng(1))
    equal = layer_law(target, target, 2, 2, "priority")
    np.testing.assert_allclose(equal.accepted_length, [0.0, 0.0, 1.0], atol=1e-15)
    draft, other = (MarkovChain(start, [start] * 2, 3) for start in ([1.0, 0.0], [0.0, 1.0]))
    disjoint = layer_law(draft, other, 3, 2, "priority")
    assert disjoint.accepted_length.tolist() == [1.0, 0.0, 0.0]
    assert disjoint.emitted == {(1,): 1.0}


def test_what_does_not_fit() -> None:
    pair = random_tabular_pair(3, 3, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="length is 3 but the models have horizon 3: take a longer one"):
        layer_law(*pair, 2, 3, "priority")
    with pytest.raises(InvalidInput, match="verifier is 'none'"):
        layer_law(*pair, 2, 2, "none")
    with pytest.raises(InvalidInput, match="9 sequences make more than 100,000 tuples of so many"):
        layer_law(*pair, 8, 2, "priority")
    silent = dataclasses.replace(VERIFIERS["kseq"], given_drafts=None)
    with pytest.raises(InvalidInput, match="states no rule for given drafts"):
        layer_law(*pair, 2, 2, silent)
