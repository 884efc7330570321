"""What each rule of one position accepts: its formula against the rule as written, over all drafts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from specproof.theory.chain import MarkovChain
from specproof.theory.distribution import Array, dirichlet, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.one_position import (
    DRAWS_AT_ONE_POSITION,
    OnePositionRule,
    distinct_drafts,
    one_position_rules,
    register_one_position_rule,
)
from specproof.theory.transport import DraftSets, optimal_acceptance_without_replacement, solve_membership_lp
from specproof.theory.trees.drawn_trees import drawn_trees
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.registry import call_law
from specproof.theory.verifiers import VERIFIERS
from specproof.theory.verifiers.recursive_without_replacement import recursive_rejection_without_replacement

RULES = one_position_rules()

AS_WRITTEN = {
    **{name: f"{name}-levels" for name in VERIFIERS},
    **{name: name for name in RULES if name in TREE_VERIFIERS},
    "recursive_distinct": "sequoia",
}
"""The rules for trees that follow the drafts of one position one by one, as the rule is written."""

LARGEST = {"gumbel-list": 9}
"""Tokens times drafts that are enumerated, where 4 tokens and 3 drafts take seconds."""

SAME_AT_ONE_POSITION = {
    "single": ("block-verification", 1),
    "recursive": ("traversal", 3),
    "recursive_distinct": ("traversal-distinct", 2),
}
"""What the notes of the rules say, with a number of drafts."""


def pairs(seed: int) -> list[tuple[Array, Array]]:
    """Random pairs, and those with zeros on either side, ties and equal laws."""
    rng = np.random.default_rng(seed)
    plain = [tuple(dirichlet(int(rng.integers(2, 5)), 0.6, rng, 2)) for _ in range(6)]
    p, q = dirichlet(4, 1.0, rng, 2)
    no_draft, no_target = np.array([0.0, 0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5, 0.0])
    ties = [(uniform(3), np.array([0.25, 0.25, 0.5])), (np.array([0.5, 0.25, 0.25]), np.array([0.5, 0.25, 0.25]))]
    return [*plain, (no_draft, q), (p, no_target), (no_draft, no_target), (p, p), *ties]


def as_chains(*laws: Array) -> list[MarkovChain]:
    return [MarkovChain(law, [law] * law.size, 2) for law in laws]


def can_be_drafted(rule: OnePositionRule, draft: Array, num_drafts: int) -> bool:
    few = num_drafts > np.count_nonzero(draft)
    return rule.takes in (None, num_drafts) and not (few and rule.draws in ("distinct", "top-and-one", "hub"))


@pytest.mark.parametrize("name", AS_WRITTEN)
def test_the_formula_is_what_the_rule_accepts_over_all_drafts(name: str) -> None:
    tolerance = 1e-8 if name == "canonical" else 1e-13  # a linear program finds its weights
    compared = 0
    for draft, target in pairs(seed=3):
        for num_drafts in (1, 2, 3):
            if not can_be_drafted(RULES[name], draft, num_drafts) or draft.size * num_drafts > LARGEST.get(name, 12):
                continue
            # The target's walk of a tree takes its K L likeliest nodes: at one position the K likeliest tokens.
            written = call_law(AS_WRITTEN[name], *as_chains(draft, target), num_drafts, 1)
            stated = float(RULES[name].acceptance_of(draft, target, num_drafts))
            assert stated == pytest.approx(written.mean, abs=tolerance)
            assert RULES[name].is_lossless <= (written.bias(as_chains(target)[0]) < 1e-14)
            compared += 1
    assert compared >= 10


def test_every_rule_but_the_optima_is_compared_with_itself_as_written() -> None:
    assert set(RULES) - set(AS_WRITTEN) == {"optimal", "optimal_distinct"}


@pytest.mark.parametrize("draws", sorted(DRAWS_AT_ONE_POSITION))
def test_the_optimum_of_each_way_to_draft_is_that_of_the_linear_program(draws: str) -> None:
    optimum = RULES[DRAWS_AT_ONE_POSITION[draws].optimum]
    compared = 0
    for draft, target in pairs(seed=4)[::2]:
        for num_drafts in (2, 3):
            if num_drafts > np.count_nonzero(draft) or (draws, num_drafts) == ("hub", 3):
                continue
            way = "sequences" if draws == "iid" else draws
            trees = drawn_trees(way, as_chains(draft)[0], num_drafts, 1)
            sets: dict[tuple[int, ...], float] = {}
            for branches, chance in trees:
                drawn = tuple(sorted({token for token, _ in branches}))
                sets[drawn] = sets.get(drawn, 0.0) + chance
            best = solve_membership_lp(DraftSets(draft.size, tuple(sets), tuple(sets.values())), target).acceptance
            assert float(optimum.acceptance_of(draft, target, num_drafts)) == pytest.approx(best, abs=1e-9)
            compared += 1
    assert compared >= 5


@pytest.mark.parametrize("name", SAME_AT_ONE_POSITION)
def test_rules_that_are_said_to_be_one_at_one_position_are(name: str) -> None:
    other, num_drafts = SAME_AT_ONE_POSITION[name]
    for draft, target in pairs(seed=5):
        if can_be_drafted(RULES[name], draft, num_drafts):
            law = call_law(other, *as_chains(draft, target), num_drafts, 1)
            assert law.mean == pytest.approx(float(RULES[name].acceptance_of(draft, target, num_drafts)), abs=1e-13)
    assert TREE_VERIFIERS[other].label.partition(",")[0] in RULES[name].note


def test_no_lossless_rule_passes_the_optimum_of_its_drafts() -> None:
    for draft, target in [dirichlet(30, concentration, np.random.default_rng(6), 2) for concentration in (0.05, 0.5)]:
        for rule in RULES.values():
            if rule.takes in (None, 2) and rule.is_lossless:
                best = float(RULES[rule.optimum].acceptance_of(draft, target, 2))
                assert float(rule.acceptance_of(draft, target, 2)) <= best + 1e-12


@pytest.mark.parametrize("name", sorted(RULES))
def test_stacks_are_their_rows_and_tokens_that_never_come_change_nothing(name: str) -> None:
    draft, target = np.random.default_rng(7).dirichlet(np.full(6, 0.5), (2, 2, 3))
    rule = RULES[name]
    found = rule.acceptance_of(draft, target, 2)
    rows = [[float(rule.acceptance_of(draft[i, j], target[i, j], 2)) for j in range(3)] for i in range(2)]
    np.testing.assert_allclose(found, rows, rtol=0, atol=1e-15)
    longer = [np.insert(laws, (0, 3, 6), 0.0, axis=-1) for laws in (draft, target)]
    np.testing.assert_allclose(rule.acceptance_of(*longer, 2), rows, rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.draws != "iid"])
def test_where_fewer_tokens_can_be_drafted_all_are(name: str) -> None:
    """Both tokens of the draft are drafted whatever k is, or its only one; of two drafts one is SpecHub's second."""
    draft, target, one = np.array([0.5, 0.0, 0.5]), np.array([0.25, 0.5, 0.25]), np.array([0.0, 0.0, 1.0])
    rule = RULES[name]
    assert float(rule.acceptance_of(one, target, 2)) == 0.25
    two = {"argmax": 0.25}.get(name, 0.5)
    for num_drafts in (2, 5):
        if rule.takes in (None, num_drafts):
            assert float(rule.acceptance_of(draft, target, num_drafts)) == pytest.approx(two, abs=1e-15)


@pytest.mark.parametrize("concentration", [0.02, 0.3, 3.0])
def test_two_distinct_drafts_are_their_histories(concentration: float) -> None:
    """Of many tokens too, from tiny probabilities to nearly certain ones."""
    for draft, target in np.random.default_rng(8).dirichlet(np.full(60, concentration), (20, 2)):
        found = distinct_drafts.recursive_distinct_acceptance(draft, target, 2)
        if np.count_nonzero(draft) >= 2:
            law = recursive_rejection_without_replacement(draft, target, 2)
            assert float(found) == pytest.approx(float(law.acceptance), abs=1e-12)


def test_a_likeliest_token_of_nearly_all_the_probability_is_left_out_without_cancellation() -> None:
    draft, target = np.array([1 - 3e-14, 1e-14, 2e-14]), np.array([0.0, 0.5, 0.5])
    law = recursive_rejection_without_replacement(draft, target, 2)
    found = distinct_drafts.recursive_distinct_acceptance(draft, target, 2)
    assert float(found) == pytest.approx(float(law.acceptance), abs=1e-13)
    assert float(found) == pytest.approx(1 / 3 + 1 / 2, abs=1e-12)


def test_list_sampling_of_many_tokens_is_the_races_when_they_are_run() -> None:
    """Five standard errors of 0.005; a formula of one race less is off by more."""
    rng = np.random.default_rng(9)
    draft, target = dirichlet(100, 0.5, rng, 2)
    noise = rng.exponential(size=(10_000, 4, 100))
    drafts = (noise / draft).argmin(axis=-1)
    own = (noise.min(axis=1) / target).argmin(axis=-1)
    matched = (drafts == own[:, np.newaxis]).any(axis=1).mean()
    stated = float(RULES["gumbel-list"].acceptance_of(draft, target, 4))
    assert stated == pytest.approx(matched, abs=5 * np.sqrt(stated * (1 - stated) / 10_000))


@pytest.mark.parametrize(
    ("name", "tokens", "num_drafts"),
    [
        ("best-path", 70_000, 2),
        ("gumbel-list", 5_000, 2),
        ("recursive_distinct", 70_000, 2),
        ("recursive_distinct", 200, 3),
        ("optimal_distinct", 20_000, 2),
    ],
)
def test_a_law_that_is_too_dear_is_refused_at_once(name: str, tokens: int, num_drafts: int) -> None:
    law = uniform(tokens)
    with pytest.raises(InvalidInput, match=f"^num_drafts is {num_drafts} and {tokens:,} tokens can be drafted.*top_k"):
        RULES[name].acceptance_of(law, law, num_drafts)
    few = uniform(tokens, support=5)
    assert 0 < float(RULES[name].acceptance_of(few, law, num_drafts)) < 1
    assert 0 < float(RULES[name].acceptance_of(law, law, 1)) <= 1 + 1e-12


def test_the_optimum_of_distinct_drafts_is_its_function() -> None:
    draft, target = dirichlet(500, 0.3, np.random.default_rng(10), 2)
    found = RULES["optimal_distinct"].acceptance_of(draft, target, 3)
    assert float(found) == pytest.approx(float(optimal_acceptance_without_replacement(draft, target, 3)), abs=1e-14)


MINE = replace(RULES["exact-match"], name="mine")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("kseq", "rule is a str: give a OnePositionRule"),
        (replace(MINE, draws="tarot"), "draws is 'tarot': it must be one of distinct, greedy"),
        (replace(MINE, name="kseq"), "name is 'kseq': a verifier is registered by it"),
        (replace(MINE, name="argmax"), "name is 'argmax': another rule is registered by it"),
        (replace(MINE, name=""), "name is ''"),
    ],
    ids=["kind", "draws", "verifier", "twice", "empty"],
)
def test_what_cannot_be_registered_is_refused(rule: OnePositionRule, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        register_one_position_rule(rule)
    assert one_position_rules() == RULES


@pytest.mark.parametrize("num_drafts", [1, 3])
def test_a_number_of_drafts_that_a_rule_does_not_take_is_refused(num_drafts: int) -> None:
    with pytest.raises(InvalidInput, match=f"num_drafts is {num_drafts}, and spechub takes 2: give num_drafts=2"):
        RULES["spechub"].acceptance_of(uniform(3), uniform(3), num_drafts)


@pytest.mark.parametrize("tokens", [2, 50, 2000])
@pytest.mark.parametrize("name", RULES)
def test_any_number_of_drafts_ends_or_is_refused(name: str, tokens: int) -> None:
    """With so many drafts no rule may go from one to the next."""
    rng = np.random.default_rng(tokens)
    draft, target = dirichlet(tokens, 1.0, rng), dirichlet(tokens, 0.3, rng)
    found = []
    for num_drafts in (10**6, 10**12):
        with suppress(InvalidInput):
            found.append(float(RULES[name].acceptance_of(draft, target, num_drafts)))
    assert len(found) == 2 or name in ("recursive_distinct", "spechub")
    assert all(0.0 <= acceptance <= 1.0 for acceptance in found)
    if name != "best-path":  # which more drafts make worse
        assert found == pytest.approx(sorted(found), abs=1e-12)
