"""What is said of an argument that cannot be used: one line with the name, the place and the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from bad_arguments import BAD_DRAFTS, HALF, Case, assert_named_on_one_line

from specproof import (
    as_distribution,
    bernoulli,
    certify,
    decoding_opt,
    decoding_uno,
    dirichlet,
    division_factor,
    expected_tokens,
    kseq,
    maximal_coupling,
    minimal_bias,
    optimal_acceptance,
    optimal_length,
    optimal_resampling,
    pareto_point,
    recursive_rejection,
    relaxed_acceptance,
    residual,
    softmax,
    solve_membership_lp,
    speedup,
    total_variation,
    uniform,
    zipf,
)
from specproof.theory.errors import InvalidInput

NAN, INF = float("nan"), float("inf")
RNG = np.random.default_rng(0)
ONE_LAW: list[Case] = [
    (as_distribution, ([0.5, NAN],), ("distribution[1]", "nan", "not finite")),
    (as_distribution, ([INF, 0.5],), ("distribution[0]", "inf", "not finite")),
    (as_distribution, ([[0.5, 0.5], [1.25, -0.25]],), ("distribution[1, 1]", "-0.25", "negative")),
    (as_distribution, ([[0.5, 0.5], [0.5, 0.25]],), ("row 1 of distribution", "0.75", "softmax")),
    (as_distribution, ([1e308, 1e308],), ("distribution sums to inf", "divide it by its sum")),
    (as_distribution, ([0.0, 0.0],), ("distribution sums to 0",)),
    (as_distribution, ([],), ("distribution", "(0,)", "at least one token")),
    (as_distribution, (1.0,), ("distribution", "()", "at least one token")),
    (as_distribution, (["a", "b"],), ("distribution", "real numbers")),
    (as_distribution, ([True, False],), ("distribution", "bool")),
    (as_distribution, ([1j, 0],), ("distribution", "complex")),
    (as_distribution, ([[0.5, 0.5], [1.0]],), ("distribution", "real numbers", "inhomogeneous")),
    (as_distribution, (torch.tensor(HALF, requires_grad=True),), ("distribution", "detach")),
    (as_distribution, ([0.5, 0.6], "mine"), ("mine sums to 1.1",)),
    (softmax, ([0.0, NAN],), ("logits[1] = nan", "not a logit")),
    (softmax, ([[0.0, INF]],), ("logits[0, 1] = inf", "not a logit")),
    (softmax, ([[0.0, 0.0], [-INF, -INF]],), ("logits[1, 0] = -inf", "whole row")),
    (softmax, ([0.0], 0.0), ("temperature is 0.0", "positive")),
    (softmax, ([0.0], -1.0), ("temperature is -1.0", "positive")),
    (softmax, ([0.0], NAN), ("temperature is nan", "positive")),
    (softmax, ([0.0], INF), ("temperature is inf", "finite")),
    (bernoulli, (1.5,), ("success is 1.5", "[0, 1]")),
    (bernoulli, (NAN,), ("success is nan", "[0, 1]")),
    (softmax, ([0.0], np.array([1.0, 2.0])), ("temperature is array([1., 2.])", "one positive")),
    (bernoulli, ("a",), ("success is 'a'", "one number")),
    (uniform, (0,), ("vocabulary is 0", ">= 1")),
    (uniform, (3.5,), ("vocabulary is 3.5", "integer")),
    (uniform, (3, 2.5), ("support is 2.5", "integer")),
    (uniform, (3, 4), ("support is 4", "vocabulary of 3")),
    (uniform, (3, 0), ("support is 0", ">= 1")),
    (zipf, (0,), ("vocabulary", "0")),
    (zipf, (2.5,), ("vocabulary is 2.5", "integer")),
    (zipf, (3, INF), ("exponent", "inf")),
    (dirichlet, (0, 1.0, RNG), ("vocabulary", "0")),
    (dirichlet, (3, 0.0, RNG), ("concentration", "0.0")),
    (dirichlet, (3, INF, RNG), ("concentration", "inf")),
    (dirichlet, (3, NAN, RNG), ("concentration", "nan")),
    (dirichlet, (2.5, 1.0, RNG), ("vocabulary is 2.5", "integer")),
    (dirichlet, (3, 1.0, RNG, (2, -1)), ("size is", "-1", ">= 0")),
    (dirichlet, (3, 1.0, 0), ("rng is 0", "default_rng")),
]

BAD_PAIRS: list[tuple[tuple[Any, Any], tuple[str, ...]]] = [
    (([0.5, NAN], HALF), ("draft[1] = nan",)),
    ((HALF, [1.5, -0.5]), ("target[1] = -0.5",)),
    ((HALF, [0.5, 0.4]), ("target sums to 0.9",)),
    (
        (HALF, [0.2, 0.3, 0.5]),
        ("draft has 2 tokens", "target has 3", "one vocabulary", "probabilities by 0 and logits by -inf"),
    ),
    (([HALF] * 2, [HALF] * 3), ("(2, 2)", "(3, 2)", "do not broadcast")),
]

PAIR_FUNCTIONS: list[Callable[..., Any]] = [total_variation, residual, maximal_coupling]
DRAFTS_FUNCTIONS: list[Callable[..., Any]] = [
    kseq,
    division_factor,
    optimal_acceptance,
    certify,
    solve_membership_lp,
    recursive_rejection,
]

EPSILON_FUNCTIONS: list[Callable[..., Any]] = [relaxed_acceptance, decoding_opt, decoding_uno]
ACCEPT_FUNCTIONS: list[Callable[..., Any]] = [minimal_bias, optimal_resampling, pareto_point]
PAIRS: list[Case] = [
    *((function, pair, expected) for function in PAIR_FUNCTIONS for pair, expected in BAD_PAIRS),
    *(
        (function, (*pair, 2), expected)
        for function in DRAFTS_FUNCTIONS
        for pair, expected in (BAD_PAIRS[:3] if function is solve_membership_lp else BAD_PAIRS)
    ),
    (solve_membership_lp, (HALF, [0.2, 0.3, 0.5], 2), ("target has 3 tokens", "drafts have 2", "logits by -inf")),
    (solve_membership_lp, ([HALF] * 2, [HALF] * 3, 2), ("draft has shape (2, 2)", "one distribution")),
    *((function, (*pair, 0.1), expected) for function in EPSILON_FUNCTIONS for pair, expected in BAD_PAIRS),
    *((function, (*pair, HALF), expected) for function in ACCEPT_FUNCTIONS for pair, expected in BAD_PAIRS),
]

DRAFTS: list[Case] = [
    *((function, (HALF, HALF, count), expected) for function in DRAFTS_FUNCTIONS for count, expected in BAD_DRAFTS),
    *(
        (function, (HALF, HALF, [1, 2]), ("num_drafts", "(2,)", "one number"))
        for function in DRAFTS_FUNCTIONS
        if function is not optimal_acceptance
    ),
    (certify, ([HALF], HALF, 1), ("one pair", "loop")),
    (solve_membership_lp, (HALF, [HALF], 1), ("target has shape (1, 2)", "loop over rows")),
    (
        solve_membership_lp,
        (uniform(200), uniform(200), 3),
        ("num_drafts 3", "3,980,200 variables", "optimal_acceptance"),
    ),
]

RHO: list[Case] = [
    (kseq, ([0.0, 0.5, 0.5], [0.5, 0.5, 0.0], 2, rho), expected)
    for rho, expected in [
        (1.5, ("rho is 1.5", "rho*", "[1.7071067811865", "2]", "leave rho out")),
        (2.5, ("rho is 2.5", "2]", "leave rho out")),
        (NAN, ("rho is nan", "leave rho out")),
        ([1.8, 2.5], ("rho[1] is 2.5",)),
        ("a", ("rho is not", "real numbers", "'a'")),
    ]
] + [(kseq, ([HALF] * 2, [HALF] * 2, 2, [1.0, 1.0, 1.0]), ("rho", "(2,)", "leave rho out"))]


EPSILON: list[Case] = [
    (function, (HALF, [HALF] * 2, epsilon), expected)
    for function in EPSILON_FUNCTIONS
    for epsilon, expected in [
        (-0.1, ("epsilon is -0.1", "at least 0", "lossless")),
        (NAN, ("epsilon is nan", "at least 0")),
        (None, ("epsilon is not an array of real numbers", "None")),
        ([0.1, -0.5], ("epsilon[1] is -0.5",)),
        ([[0.1], [NAN]], ("epsilon[1, 0] is nan",)),
        ([0.1, 0.1, 0.1], ("epsilon", "(3,)", "(2, 2)", "leading axes")),
        ("a", ("epsilon", "real numbers", "'a'")),
        ([[0.1], [0.1, 0.2]], ("epsilon", "real numbers", "inhomogeneous")),
    ]
]

ACCEPT: list[Case] = [
    (function, ([HALF] * 2, HALF, accept), expected)
    for function in ACCEPT_FUNCTIONS
    for accept, expected in [
        ([0.5, 1.5], ("accept[1] is 1.5", "[0, 1]")),
        ([[0.5, 0.5], [-0.1, 0.5]], ("accept[1, 0] is -0.1", "[0, 1]")),
        ([NAN, 0.5], ("accept[0] is nan", "[0, 1]")),
        (2.0, ("accept is 2.0", "[0, 1]")),
        (0.5, ("accept", "()", "(2, 2)", "each token")),
        ([[0.5], [0.5]], ("accept", "(2, 1)", "(2, 2)", "each token")),
        ([0.5] * 3, ("accept", "(3,)", "(2, 2)", "each token")),
        ([HALF] * 3, ("accept", "(3, 2)", "(2, 2)", "each token")),
        (["a", "b"], ("accept", "real numbers", "'a'")),
        ([[0.5], [0.5, 0.5]], ("accept", "real numbers", "inhomogeneous")),
    ]
]

FORMULAS: list[Case] = [
    (expected_tokens, (1.5, 2), ("acceptance is 1.5", "[0, 1]")),
    (expected_tokens, (NAN, 2), ("acceptance is nan", "[0, 1]")),
    (expected_tokens, (0.5, -1), ("length is -1", ">= 0")),
    (expected_tokens, (0.5, 1.5), ("length is 1.5", "integer")),
    (expected_tokens, (0.5, True), ("length is True", "integer")),
    (expected_tokens, ([0.5], 2), ("acceptance is [0.5]", "one number")),
    (speedup, (0.5, -1, 0.1), ("length is -1",)),
    (speedup, (0.5, 1, -0.1), ("cost is -0.1", "at least 0")),
    (speedup, (0.5, 1, INF), ("cost is inf", "finite")),
    (optimal_length, (-0.5, 0.1), ("acceptance is -0.5",)),
    (optimal_length, (0.5, NAN), ("cost is nan",)),
    (optimal_length, (1.0, 0.0), ("acceptance 1.0", "cost 0.0", "no optimal length")),
]


@pytest.mark.parametrize(
    ("function", "arguments", "expected"), ONE_LAW + PAIRS + DRAFTS + RHO + EPSILON + ACCEPT + FORMULAS
)
def test_bad_input_is_named_on_one_line(
    function: Callable[..., Any], arguments: tuple[Any, ...], expected: tuple[str, ...]
) -> None:
    assert_named_on_one_line(function, arguments, expected)


def test_callers_may_catch_it_as_a_value_error() -> None:
    assert issubclass(InvalidInput, ValueError)
