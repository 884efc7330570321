"""What the claims about texts compare with: wrong weights, wrong calls and wrong rules are refuted."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from specproof.simulations.claims.texts import calls
from specproof.simulations.claims.texts.block_lossless import plain_pair
from specproof.simulations.claims.texts.priced_rules import priced_rules, texts_of
from specproof.simulations.claims.texts.reach_weights import compare, degenerate_pairs
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import ClaimVerdict
from specproof.theory.chain import MarkovChain

RULES = priced_rules(2)


def verdicts(name: str, weights_of: str) -> set[ClaimVerdict]:
    worst = Worst()
    rule = replace(RULES[name], reach=RULES[weights_of].reach)
    compare(worst, name, rule, plain_pair(), 2, with_control=False)
    return {row.verdict for row in worst.rows()}


@pytest.mark.parametrize("name", RULES)
def test_the_weights_of_a_rule_are_its_own(name: str) -> None:
    assert verdicts(name, name) == {ClaimVerdict.HOLDS}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("block verification", "one draft, token by token"),
        ("one draft, token by token", "block verification"),
        ("draft sequences, kseq", "draft sequences, recursive"),
        ("draft sequences, kseq", "tree of i.i.d. children, kseq"),
        ("certain tree", "the draft's likeliest token"),
        ("exact match", "one draft, token by token"),
    ],
)
def test_the_weights_of_another_rule_are_refuted(name: str, other: str) -> None:
    assert ClaimVerdict.REFUTED in verdicts(name, other)


def test_texts_are_those_that_the_target_can_make() -> None:
    draft, target = degenerate_pairs()["target without some tokens"]
    texts = texts_of(draft, target, 2)
    assert texts.tokens.tolist() == [[1, 1], [2, 0], [2, 1]]
    assert texts.probability(texts.target).sum() == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("rule", calls.sampled())
def test_simulated_calls_of_equal_chains_emit_three_tokens_each(rule: str) -> None:
    chain = MarkovChain([0.5, 0.25, 0.25], np.full((3, 3), 1 / 3), calls.TOKENS)
    call = partial(calls.sampled()[rule], rng=np.random.default_rng(0))
    assert calls.simulated_calls(chain, chain, 100, call).tolist() == [2.0] * 100


@pytest.mark.parametrize("rule", calls.sampled())
def test_simulated_calls_of_disjoint_chains_emit_one_token_each(rule: str) -> None:
    draft, target = (MarkovChain(law, [law] * 3, calls.TOKENS) for law in ([1.0, 0.0, 0.0], [0.0, 0.5, 0.5]))
    call = partial(calls.sampled()[rule], rng=np.random.default_rng(0))
    assert calls.simulated_calls(draft, target, 100, call).tolist() == [6.0] * 100
