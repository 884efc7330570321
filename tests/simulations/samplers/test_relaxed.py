"""Over-acceptance: the array form against a loop, both forms against the exact laws of Decoding-OPT and -UNO.

Statistical tests: level 1e-8 each, 500,000 trials, deviations of 0.006 in any probability are seen with 0.99 (each
test asserts it). Seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import one_trial
import pytest
import torch

from specproof.conformance.strategies import DEGENERATE, Pair
from specproof.simulations.samplers import single
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.relaxed import (
    SelectionSampler,
    couple_opt,
    couple_uno,
    opt_sampler,
    simulate_opt,
    simulate_uno,
    uno_sampler,
)
from specproof.simulations.samplers.selection import Selection
from specproof.simulations.samplers.trials import try_in_turn
from specproof.simulations.statistics import Check, check_frequency, check_law
from specproof.theory.distribution import as_pair, dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.ratio import acceptance_ratio
from specproof.theory.relaxed import decoding_opt, decoding_uno

LEVEL, TRIALS, RESOLUTION = 1e-8, 500_000, 0.006
OVERLAPPING = (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]))
ALMOST_ONE = 1 - 2**-53
EPSILONS = [0.0, 0.05, 0.2, 0.4, 1.0]
PAIRS = {"overlapping": OVERLAPPING, **DEGENERATE}
RULES: dict[str, tuple[Callable[[float], SelectionSampler], Any, Any]] = {
    "opt": (opt_sampler, simulate_opt, decoding_opt),
    "uno": (uno_sampler, simulate_uno, decoding_uno),
}


def random_rows(trials: int, tokens: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(61)
    draft, target = dirichlet(tokens, 0.4, rng, trials), dirichlet(tokens, 0.4, rng, trials)
    target[::7] = draft[::7]
    target[::3, 2] = 0.0
    target /= target.sum(axis=-1, keepdims=True)
    return draft, target, invert(draft, rng.random(trials))[:, None], rng.random((trials, 2))


def loop(name: str, epsilon: float, draft: Any, target: Any, token: int, uniforms: Any) -> tuple[int, int]:
    if uniforms[0] * draft[token] < target[token] + epsilon:
        return token, 0
    left = [q - p for p, q in zip(draft, target, strict=True)]
    weights = one_trial.replacement(left, target) if name == "opt" else target
    return one_trial.invert(weights, uniforms[1]), -1


def law_check(selection: Selection, law: np.ndarray) -> Check:
    check = check_law(selection.tokens, law, LEVEL)
    assert check.detectable <= RESOLUTION
    return check


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_array_form_is_the_loop_in_numpy_and_torch(name: str, epsilon: float) -> None:
    rows = draft, target, drafts, uniforms = random_rows(1500)
    verify = RULES[name][0](epsilon)
    found = verify(*rows)
    expected = [
        loop(name, epsilon, p, q, int(x[0]), u) for p, q, x, u in zip(draft, target, drafts, uniforms, strict=True)
    ]
    assert list(zip(found.tokens.tolist(), found.accepted.tolist(), strict=True)) == expected
    assert set(found.accepted.tolist()) == ({0} if epsilon == 1 else {0, -1})
    in_torch = verify(*map(torch.tensor, rows))
    assert in_torch.tokens.tolist() == found.tokens.tolist()
    assert in_torch.accepted.tolist() == found.accepted.tolist()


def test_no_slack_is_the_lossless_rule() -> None:
    rows = random_rows(3000)
    known = single.verify(*rows)
    found = opt_sampler(0.0)(*rows)
    assert np.array_equal(found.tokens, known.tokens)
    assert np.array_equal(found.accepted, known.accepted)
    assert np.array_equal(uno_sampler(0.0)(*rows).accepted, known.accepted)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_slack_accepts_whatever_the_coin(name: str, pair: str, dtype: type) -> None:
    draft, target = (row.astype(dtype) for row in as_pair(*PAIRS[pair]))
    for token in np.flatnonzero(draft > 0):
        drafts, uniforms = np.full((2, 1), token), np.array([[0.0, 0.5], [ALMOST_ONE, 0.5]])
        found = RULES[name][0](1.0)(draft, target, drafts, uniforms)
        assert (found.tokens.tolist(), found.accepted.tolist()) == ([token] * 2, [0, 0])


@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
@pytest.mark.parametrize(
    ("coin", "token"), [(np.nextafter(0.75, 0), 0), (0.75, 1)], ids=["just accepted", "just rejected"]
)
def test_the_coin_is_strictly_below_the_raised_quotient(coin: float, token: int, kind: Any) -> None:
    """(q + 1/8)/p = (1/4 + 1/8)/(1/2) = 3/4 for token 0."""
    laws = [kind(np.array(row)) for row in ([0.5, 0.5], [0.25, 0.75])]
    found = opt_sampler(0.125)(*laws, kind(np.array([[0]])), kind(np.array([[coin, 0.0]])))
    assert (found.tokens.tolist(), found.accepted.tolist()) == ([token], [-token])


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("epsilon", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("pair", PAIRS)
def test_compiled_form_has_the_exact_law(name: str, epsilon: float, pair: str) -> None:
    draft, target = as_pair(*PAIRS[pair])
    _, simulate, law_of = RULES[name]
    found, law = simulate(draft, target, epsilon, TRIALS, np.random.default_rng(62)), law_of(draft, target, epsilon)
    assert not law_check(found, law.output).is_refuted
    rejected = int(np.count_nonzero(found.accepted == -1))
    assert not check_frequency(rejected, TRIALS, float(law.rejection), LEVEL).is_refuted


@pytest.mark.parametrize("name", RULES)
def test_array_form_has_the_exact_law(name: str) -> None:
    make, _, law_of = RULES[name]
    rng = np.random.default_rng(63)
    drafts = invert(OVERLAPPING[0], rng.random((TRIALS, 1)))
    found = make(0.1)(*OVERLAPPING, drafts, rng.random((TRIALS, 2)))
    assert not law_check(found, law_of(*OVERLAPPING, 0.1).output).is_refuted


def mutants() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    draft, target = OVERLAPPING
    raised, residual = acceptance_ratio(draft, target + 0.1), np.maximum(target - draft, 0.0)
    return {
        "resamples from the target": (raised, target),
        "resamples from the draft": (raised, draft),
        "accepts without slack": (acceptance_ratio(draft, target), residual),
        "adds the slack to the quotient": (np.minimum(acceptance_ratio(draft, target) + 0.1, 1.0), residual),
        "accepts everything": (np.ones(3), residual),
    }


@pytest.mark.parametrize("name", mutants())
def test_mutants_are_refuted_against_the_law_of_opt(name: str) -> None:
    chances, residual = mutants()[name]
    found = try_in_turn(OVERLAPPING[0], chances[None], residual, TRIALS, np.random.default_rng(64))
    assert law_check(found, decoding_opt(*OVERLAPPING, 0.1).output).is_refuted


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(
    ("draft", "target", "message"),
    [
        ([0.5, float("nan")], [0.5, 0.5], r"draft\[1\] = nan"),
        ([0.5, 0.5], [1.0, 1.0], "target sums to 2"),
        ([0.5, 0.5], [0.2, 0.3, 0.5], "draft has 2 tokens and target has 3"),
        ([[0.5, 0.5]], [0.5, 0.5], r"draft and target have shape \(1, 2\): give one law each"),
        ("draft", [0.5, 0.5], "draft is not an array of real numbers"),
    ],
    ids=str,
)
def test_what_is_no_pair_of_laws_is_refused(name: str, draft: Any, target: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        RULES[name][1](draft, target, 0.1, 10, np.random.default_rng(0))


@pytest.mark.parametrize("name", RULES)
def test_lists_are_laws_too(name: str) -> None:
    lists, arrays = (
        RULES[name][1](*pair, 0.1, 1000, np.random.default_rng(65))
        for pair in ([row.tolist() for row in OVERLAPPING], OVERLAPPING)
    )
    assert np.array_equal(lists.tokens, arrays.tokens)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("trials", [0, -1, 1.5, True])
def test_trials_are_counted_by_positive_integers(name: str, trials: Any) -> None:
    with pytest.raises(InvalidInput, match=f"trials is {trials}: it must be an integer >= 1"):
        RULES[name][1](*OVERLAPPING, 0.1, trials, np.random.default_rng(0))


@pytest.mark.parametrize("epsilon", ["a", None, True, np.array([0.1, 0.2]), [0.1]], ids=repr)
def test_an_epsilon_that_is_no_number_is_refused(epsilon: Any) -> None:
    for make in (opt_sampler, uno_sampler):
        with pytest.raises(InvalidInput, match=r"epsilon is .*: it must be one number, at least 0"):
            make(epsilon)


@pytest.mark.parametrize("epsilon", [-0.1, float("nan")])
def test_a_wrong_epsilon_is_refused_before_anything_is_drawn(epsilon: float) -> None:
    pair: Pair = OVERLAPPING
    rng = np.random.default_rng(0)
    calls: list[Callable[[], object]] = [
        lambda: opt_sampler(epsilon),
        lambda: uno_sampler(epsilon),
        lambda: simulate_opt(*pair, epsilon, 1, rng),
        lambda: simulate_uno(*pair, epsilon, 1, rng),
    ]
    for call in calls:
        with pytest.raises(InvalidInput, match=f"epsilon is {epsilon}"):
            call()


@pytest.mark.parametrize("name", ["opt", "uno"])
def test_the_other_rules_token_has_its_law_and_agrees_as_often_as_two_laws_can(name: str) -> None:
    rng = np.random.default_rng(67)
    draft, target = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.35, 0.45])
    optimal = np.maximum(target - draft, 0.0) / np.maximum(target - draft, 0.0).sum()
    own, other = (optimal, target) if name == "opt" else (target, optimal)
    couple = couple_uno if name == "opt" else couple_opt
    tokens = invert(own, rng.random(TRIALS))
    rows = (np.broadcast_to(law, (TRIALS, 3)) for law in (draft, target))
    found = couple(*rows, tokens, rng.random((TRIALS, 2)))
    assert not law_check(Selection(found, found), other).is_refuted
    assert law_check(Selection(found, found), own).is_refuted
    agree = check_frequency(int((found == tokens).sum()), TRIALS, np.minimum(own, other).sum(), LEVEL)
    assert not agree.is_refuted
    assert agree.detectable <= RESOLUTION
