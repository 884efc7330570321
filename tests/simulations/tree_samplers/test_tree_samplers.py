"""Samplers of drafted trees: their coins enumerated against each rule's law, and counts where noise is continuous."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from enumerated_draws import outcomes

from specproof import InvalidInput
from specproof.simulations.claims.trees.small_models import KINDS, small_models
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.statistics import check_law
from specproof.simulations.tree_samplers import TREE_SAMPLERS
from specproof.simulations.tree_samplers.drafted import Drafted
from specproof.simulations.tree_samplers.registry import TreeSampler, register_tree_sampler, simulate_calls
from specproof.simulations.tree_samplers.walks import Step, by_selection, residual_law, target_draw, walk
from specproof.theory.chain import TabularModel, random_tabular_pair
from specproof.theory.trees.draft_trees import Node, laws_of
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.registry import by_block, call_law, drawn_for

CONTINUOUS = ("gumbel-list", "kseq-levels", "priority-levels")
"""The samplers that draw more than coins and tokens."""

ENUMERATED = [name for name in TREE_SAMPLERS if name not in CONTINUOUS]
LEVEL = 1e-8


def test_every_rule_has_a_sampler() -> None:
    assert set(TREE_SAMPLERS) == set(TREE_VERIFIERS)


@pytest.mark.parametrize("name", ENUMERATED)
def test_the_coins_of_a_sampler_give_the_law_of_its_rule(name: str) -> None:
    rule, rng = TREE_VERIFIERS[name], np.random.default_rng(5)
    seen = 0
    for index in range(3 * len(KINDS)):
        instance = small_models(rng, index)
        pair, length = (instance.draft, instance.target), instance.length
        count = rule.takes or min(instance.num_drafts, np.count_nonzero(pair[0].conditionals[0]))
        if rule.draws == "hub" and np.count_nonzero(pair[0].conditionals[0]) < 2:
            continue
        laws = [laws_of(model) for model in pair]
        given = rule.prepare(*laws, count, length)
        for branches, _ in drawn_for(rule, *pair, count, length)[::5]:
            difference: defaultdict[Node, float] = defaultdict(float)
            difference.update(by_block(given(branches)))
            for node, mass in outcomes(TREE_SAMPLERS[name], Drafted(branches, *laws)):
                difference[node] -= mass
            assert max(map(abs, difference.values())) < 1e-12
            seen += 1
    assert seen >= 8


def refuted(name: str, sampler: TreeSampler | None = None) -> bool:
    """Whether 2,000 calls refute the law of a rule; a deviation of 0.1 in the probability of any output is seen."""
    pair = random_tabular_pair(2, 3, np.random.default_rng(11))
    law = call_law(name, *pair, 2, 2).emitted
    counts = simulate_calls(name, *pair, 2, 2, 2000, np.random.default_rng(1), sampler)
    if not counts.keys() <= law.keys():
        return True  # something came that cannot come
    nodes = sorted(law)
    drawn = np.repeat(np.arange(len(nodes)), [counts[node] for node in nodes])
    check = check_law(drawn, np.array([law[node] for node in nodes]), LEVEL)
    assert check.is_refuted or check.detectable <= 0.1
    return check.is_refuted


@pytest.mark.parametrize("name", CONTINUOUS)
def test_calls_have_the_law_of_a_rule_with_continuous_noise(name: str) -> None:
    assert not refuted(name)


@pytest.mark.parametrize(
    ("name", "step"),
    [("kseq-levels", by_selection(SAMPLERS["single"])), ("priority-levels", target_draw), ("gumbel-list", target_draw)],
)
def test_another_rule_is_refuted(name: str, step: Step) -> None:
    assert refuted(name, walk(step))


def test_distinct_siblings_are_not_independent_ones() -> None:
    """On average over the drafted trees, with every coin enumerated."""
    rule = TREE_VERIFIERS["traversal-distinct"]
    pair = [TabularModel([law, [law] * 3]) for law in ([0.6, 0.3, 0.1], [0.2, 0.5, 0.3])]
    laws = [laws_of(model) for model in pair]
    first = {"traversal-distinct": np.zeros(3), "traversal": np.zeros(3)}
    for branches, chance in drawn_for(rule, *pair, 2, 1):
        for name, law in first.items():
            for node, mass in outcomes(TREE_SAMPLERS[name], Drafted(branches, *laws)):
                law[node[0]] += chance * mass
    assert first["traversal-distinct"] == pytest.approx(pair[1].conditionals[0], abs=1e-12)
    assert np.abs(first["traversal"] - pair[1].conditionals[0]).max() > 0.01


def test_a_step_that_replaces_by_the_target_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not refuted("recursive-levels")
    monkeypatch.setattr("specproof.simulations.tree_samplers.walks.residual_law", lambda draft, target: target)
    assert refuted("recursive-levels")


def test_where_rounding_leaves_no_residual_the_target_goes_on() -> None:
    law = np.array([0.5, 0.5])
    assert residual_law(law, law).tolist() == law.tolist()


def test_what_does_not_fit() -> None:
    pair = random_tabular_pair(2, 2, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="no rule for trees has it"):
        register_tree_sampler("none", TREE_SAMPLERS["traversal"])
    with pytest.raises(InvalidInput, match="sampler is 3"):
        register_tree_sampler("traversal", 3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="another verifier is registered by it"):
        register_tree_sampler("traversal", TREE_SAMPLERS["sequoia"])
    with pytest.raises(InvalidInput, match="verifier is 'none': it must be one of"):
        simulate_calls("none", *pair, 1, 1, 1, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="trials is 0"):
        simulate_calls("traversal", *pair, 1, 1, 0, np.random.default_rng(0))
