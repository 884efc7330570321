"""Prices from a trace, against the exact long run of Markov chains and against each other."""

from __future__ import annotations

import numpy as np
import pytest
from traced_chains import traced

from specproof.simulations.traces.ask import asked_configurations, available_rules
from specproof.simulations.traces.configuration import Configuration
from specproof.simulations.traces.pricing import jackknife, price
from specproof.simulations.traces.trace import Trace
from specproof.theory.chain import random_markov_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.sequences import long_run
from specproof.theory.verifiers import VERIFIERS

PAIR = random_markov_pair(4, 2, np.random.default_rng(5), stationary=True)
SEVERAL = [name for name in VERIFIERS if name != "single"]
ONE_AND_NIGHTLY = [pytest.param(name, marks=() if name == "kseq" else pytest.mark.slow) for name in SEVERAL]
"""Verifiers of several drafts, of which one is tried whenever tests are run and all others nightly."""


@pytest.fixture(scope="module")
def long_texts() -> Trace:
    return traced(*PAIR, texts=24, length=500, seed=1)


@pytest.mark.parametrize("rule", [*ONE_AND_NIGHTLY, pytest.param("single", marks=pytest.mark.slow)])
def test_the_long_run_of_chains(long_texts: Trace, rule: str) -> None:
    count = 1 if rule == "single" else 3
    found = price(long_texts, [Configuration(rule, count, 3)]).tokens_per_call(0)
    exact = long_run(*PAIR, count, 3, rule).efficiency
    error = found.half_width / 2.07  # Student's t of 23 degrees: half-widths in standard errors
    assert abs(found.estimate - exact) < 5 * error  # false alarm below 1e-4 at this fixed seed
    assert error < 0.02


@pytest.mark.parametrize("rule", ONE_AND_NIGHTLY)
def test_prices_of_other_chains_are_refuted(long_texts: Trace, rule: str) -> None:
    found = price(long_texts, [Configuration(rule, 3, 3)]).tokens_per_call(0)
    swapped = long_run(PAIR[1], PAIR[0], 3, 3, rule).efficiency
    assert abs(found.estimate - swapped) > 5 * found.half_width / 2.07


def test_equal_models_accept_everything() -> None:
    trace = traced(PAIR[1], PAIR[1])
    asked = asked_configurations(trace, num_drafts=[2, 3], lengths=[2, 3], rules=["single", "block", *SEVERAL])
    prices = price(trace, asked)
    for index, each in enumerate(asked):
        assert prices.tokens_per_call(index).estimate == pytest.approx(each.length + 1, abs=1e-9)


def test_every_rule_is_priced_within_its_bounds(long_texts: Trace) -> None:
    asked = asked_configurations(long_texts, num_drafts=[1, 2, 3], lengths=[1, 4], trees=[[3, 1], [2, 2]])
    prices = price(long_texts, asked)
    assert {each.rule for each in asked} == set(available_rules(long_texts))
    for index, each in enumerate(asked):
        assert 1.0 <= prices.tokens_per_call(index).estimate <= each.length + 1


def test_what_is_ordered_by_theory_is_ordered_on_every_prompt(long_texts: Trace) -> None:
    names = ["single", "block"]
    prices = price(long_texts, [Configuration(name, 1, 4) for name in names])
    one, block = prices.tokens / prices.calls
    assert np.all(block >= one - 1e-12)


def test_more_children_are_more_tokens(long_texts: Trace) -> None:
    widths = [(1, 1), (2, 1), (2, 2), (3, 3)]
    prices = price(long_texts, [Configuration("priority", 1, 2, each) for each in widths])
    found = [prices.tokens_per_call(index).estimate for index in range(len(widths))]
    assert found == sorted(found)
    one = price(long_texts, [Configuration("single", 1, 2)])
    assert found[0] == pytest.approx(one.tokens_per_call(0).estimate, abs=1e-5)


def test_all_children_of_a_certain_tree_are_all_tokens(long_texts: Trace) -> None:
    prices = price(long_texts, [Configuration("certain", 1, 2, (4, 4)), Configuration("certain", 1, 2, (1, 1))])
    assert prices.tokens_per_call(0).estimate == pytest.approx(3.0)
    argmax = price(long_texts, [Configuration("argmax", 1, 2)])
    assert prices.tokens_per_call(1) == argmax.tokens_per_call(0)


def test_a_pair_is_better_known_than_its_parts(long_texts: Trace) -> None:
    prices = price(long_texts, [Configuration("priority", 3, 3), Configuration("kseq", 3, 3)])
    apart = sum(prices.tokens_per_call(index).half_width / prices.tokens_per_call(index).estimate for index in (0, 1))
    assert prices.ratio(0, 1).half_width < 0.5 * apart


def test_calls_that_the_cut_would_shorten_are_not_counted() -> None:
    cut, ended = (traced(*PAIR, texts=2, length=6, ended=ended) for ended in (False, True))
    asked = [Configuration("single", 1, 3)]
    assert price(cut, asked).calls.sum() < price(ended, asked).calls.sum()
    # A text that ended by itself is covered by its calls: each token is emitted once.
    assert price(ended, asked).tokens.sum() == 12.0


def test_texts_of_one_prompt_are_one_unit() -> None:
    trace = traced(*PAIR, texts=4, length=12, per_prompt=2)
    prices = price(trace, [Configuration("single", 1, 2)])
    assert prices.prompts == ("prompt-0", "prompt-1")


def test_one_prompt_has_no_interval() -> None:
    found = price(traced(*PAIR, texts=1), [Configuration("single", 1, 2)]).tokens_per_call(0)
    assert np.isfinite(found.estimate)
    assert np.isnan([found.low, found.high]).all()


def test_the_jackknife_leaves_out_one_prompt_at_a_time() -> None:
    above, below = np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 2.0])
    values = [3 * 12 / 5 - 2 * (12 - a) / (5 - b) for a, b in zip(above, below, strict=True)]
    found = jackknife(above, below)
    assert found.estimate == pytest.approx(np.mean(values))
    assert found.half_width == pytest.approx(4.302652729911275 * np.std(values, ddof=1) / np.sqrt(3))
    assert jackknife(above, below, above, below) == pytest.approx((1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rule": "nothing"}, "rule is 'nothing': it must be one of"),
        ({"rule": "certain"}, "rule is 'certain'"),
        ({"rule": "single", "num_drafts": 2}, "num_drafts is 2, but single has one draft"),
        ({"rule": "kseq", "num_drafts": 0}, "num_drafts is 0"),
        ({"rule": "kseq", "num_drafts": 2.0}, r"num_drafts is 2\.0"),
        ({"rule": "kseq", "length": 0}, "length is 0"),
        ({"rule": "kseq", "length": 2, "widths": (2,)}, "widths is"),
        ({"rule": "kseq", "length": 1, "widths": (0,)}, "widths is"),
    ],
)
def test_bad_configurations(values: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Configuration(**values)


def test_what_a_trace_does_not_hold() -> None:
    trace = traced(*PAIR, num_drafts=2)
    with pytest.raises(InvalidInput, match="num_drafts is 3, more than the trace holds: capture with --num-drafts 3"):
        price(trace, [Configuration("kseq", 3, 2)])
    bare = traced(*PAIR, num_drafts=0)
    assert available_rules(bare) == ["single", "block", "match", "argmax", "certain"]
    with pytest.raises(InvalidInput, match="this trace prices single, block"):
        asked_configurations(bare, rules=["kseq"])
    with pytest.raises(InvalidInput, match="the trace has no column 'agreement_kseq'"):
        price(bare, [Configuration("kseq", 2, 2)])


def test_texts_shorter_than_a_call() -> None:
    with pytest.raises(InvalidInput, match="text prompt-0 has 12 tokens, and a call of length 13 does not fit"):
        price(traced(*PAIR), [Configuration("single", 1, 13)])


def test_nothing_to_price() -> None:
    with pytest.raises(InvalidInput, match="configurations is empty"):
        price(traced(*PAIR), [])
    with pytest.raises(InvalidInput, match="nothing is left to price"):
        asked_configurations(traced(*PAIR), rules=["kseq"], num_drafts=[1])
