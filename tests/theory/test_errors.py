"""What is said of an argument that cannot be used: one line with the name, the place and the value."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from specproof import (
    MarkovChain,
    TabularModel,
    as_distribution,
    batch_limit,
    bernoulli,
    certify,
    decoding_opt,
    decoding_uno,
    dirichlet,
    division_factor,
    expected_rejections,
    expected_rejections_batch,
    expected_tokens,
    kseq,
    maximal_coupling,
    minimal_bias,
    optimal_acceptance,
    optimal_length,
    optimal_resampling,
    pareto_point,
    random_markov_pair,
    random_tabular_pair,
    recursive_rejection,
    rejection_law,
    rejection_rates,
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
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration

NAN, INF = float("nan"), float("inf")
HALF = [0.5, 0.5]
RNG = np.random.default_rng(0)
NO_DRAWS: Any = None
"""A generator that is not to be used: what is too large is refused before any row is drawn."""
CHAIN = MarkovChain(HALF, [HALF, HALF], 3)
LONGER = MarkovChain(HALF, [HALF, HALF], 4)
WIDER = MarkovChain([1.0, 0.0, 0.0], np.eye(3), 3)
TABLE = CHAIN.tabulate()

Case = tuple[Callable[..., Any], tuple[Any, ...], tuple[str, ...]]

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
    ((HALF, [0.2, 0.3, 0.5]), ("draft has 2 tokens", "target has 3", "one vocabulary")),
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
    (solve_membership_lp, (HALF, [0.2, 0.3, 0.5], 2), ("target has 3 tokens", "drafts have 2", "one vocabulary")),
    (solve_membership_lp, ([HALF] * 2, [HALF] * 3, 2), ("draft has shape (2, 2)", "one distribution")),
    *((function, (*pair, 0.1), expected) for function in EPSILON_FUNCTIONS for pair, expected in BAD_PAIRS),
    *((function, (*pair, HALF), expected) for function in ACCEPT_FUNCTIONS for pair, expected in BAD_PAIRS),
]

BAD_DRAFTS: list[tuple[Any, tuple[str, ...]]] = [
    (0, ("num_drafts is 0", "at least 1")),
    (-3, ("num_drafts is -3", "at least 1")),
    (1.5, ("num_drafts is 1.5", "integer")),
    (True, ("num_drafts is True", "integer")),
    ("2", ("num_drafts is '2'", "integer")),
    (None, ("num_drafts is None", "integer")),
    (2**63, (f"num_drafts is {2**63}", "integer")),
    ([], ("num_drafts", "(0,)", "integer")),
    (np.full((2, 2), 1.5), ("num_drafts", "(2, 2)", "float64", "integer")),
    ([[1], [1, 2]], ("num_drafts", "integers")),
    ([1, 0], ("num_drafts[1] is 0", "at least 1")),
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

CHAINS: list[Case] = [
    (MarkovChain, ([HALF], [HALF, HALF], 2), ("initial", "(1, 2)", "(V,)")),
    (MarkovChain, ([0.5, 0.6], [HALF, HALF], 2), ("initial sums to 1.1",)),
    (MarkovChain, (HALF, [HALF, [1.5, -0.5]], 2), ("transitions[1, 1] = -0.5",)),
    (MarkovChain, (HALF, [HALF, [0.5, 0.4]], 2), ("row 1 of transitions sums to 0.9", "not 1")),
    (MarkovChain, (HALF, [[HALF, HALF], [HALF, [0.0, 0.0]]]), ("row 1, 1 of transitions sums to 0",)),
    (MarkovChain, (HALF, [HALF, [NAN, 1.0]], 2), ("transitions[1, 0] = nan", "not finite")),
    (MarkovChain, (HALF, np.eye(3), 2), ("transitions", "(3, 3)", "(2, 2)")),
    (MarkovChain, (HALF, HALF, 2), ("transitions", "(2,)", "(2, 2)")),
    (MarkovChain, (HALF, [HALF, [1.0]], 2), ("transitions", "inhomogeneous")),
    (MarkovChain, (HALF, [HALF, HALF]), ("horizon is missing",)),
    (MarkovChain, (HALF, [HALF, HALF], 0), ("horizon is 0", ">= 1")),
    (MarkovChain, (HALF, [HALF, HALF], -1), ("horizon is -1", ">= 1")),
    (MarkovChain, (HALF, [HALF, HALF], 2.5), ("horizon is 2.5", "integer")),
    (MarkovChain, (HALF, [HALF, HALF], True), ("horizon is True", "integer")),
    (MarkovChain, (HALF, [[HALF, HALF]] * 3, 3), ("horizon is 3", "3 matrices", "leave horizon out")),
    (TabularModel, ([],), ("conditionals is empty",)),
    (TabularModel, ([1.0],), ("conditionals[0]", "()", "(V,)")),
    (TabularModel, ([HALF, HALF],), ("conditionals[1]", "(2,)", "(2, 2)")),
    (TabularModel, ([HALF, [HALF, [0.5, 0.6]]],), ("row 1 of conditionals[1]", "1.1")),
    (TabularModel, ([HALF, [HALF, [1.0]]],), ("conditionals[1]", "one length")),
    (random_markov_pair(7, 50, RNG)[0].tabulate, (), ("7**50", "shorter horizon")),
    (MarkovChain(HALF, [HALF, HALF], 10**12).tabulate, (), (f"2**{10**12}", "shorter horizon")),
    *(
        (random_tabular_pair, (size, horizon, NO_DRAWS), (f"{size}**{horizon}", "shorter horizon"))
        for size, horizon in ((60, 5), (100, 9), (2, 27), (2**26 + 1, 1), (3, 10**12))
    ),
]

TWO_CHAINS: list[Case] = [
    *(
        (function, models, expected)
        for function in (
            expected_rejections,
            rejection_rates,
            partial(expected_rejections_batch, num_drafts=2),
            batch_limit,
        )
        for models, expected in [
            ((CHAIN, LONGER), ("horizon 3", "target 4")),
            ((CHAIN, WIDER), ("num_states 2", "target 3")),
            ((CHAIN, TABLE), ("MarkovChain", "TabularModel", "tabulate")),
            ((HALF, HALF), ("draft is a list", "MarkovChain")),
            ((CHAIN, HALF), ("target is a list", "MarkovChain")),
        ]
    ),
    (rejection_law, (CHAIN, LONGER), ("horizon 3", "target 4")),
    (rejection_law, (TABLE, TABLE), ("TabularModel", "MarkovChain")),
    *(
        (partial(function, TABLE, TABLE), (count,), expected)
        for function in (expected_rejections_batch, runs_by_enumeration)
        for count, expected in [*BAD_DRAFTS, ([1, 2], ("num_drafts", "(2,)", "one number"))]
    ),
    (runs_by_enumeration, (TABLE, LONGER.tabulate()), ("horizon 3", "target 4")),
    (runs_by_enumeration, (CHAIN, CHAIN), ("MarkovChain", "TabularModel")),
    *(
        (pair, (2, horizon, RNG), (f"horizon is {horizon}", ">= 1"))
        for pair in (random_markov_pair, partial(random_markov_pair, stationary=True), random_tabular_pair)
        for horizon in (0, -1, 1.5)
    ),
    *(
        (pair, (size, 3, RNG), (f"num_states is {size}", ">= 1"))
        for pair in (random_markov_pair, random_tabular_pair)
        for size in (0, 2.5, True)
    ),
    (partial(random_markov_pair, concentration=0.0), (2, 3, RNG), ("concentration", "0.0")),
    (partial(random_tabular_pair, concentration=-1.0), (2, 3, RNG), ("concentration", "-1.0")),
    (maximal_coupling(HALF, HALF).is_lossless, ([0.2, 0.3, 0.5],), ("target has 3 tokens", "2")),
    (maximal_coupling(HALF, HALF).is_lossless, ([0.5, 0.6],), ("target sums to 1.1",)),
]


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    ONE_LAW + PAIRS + DRAFTS + RHO + EPSILON + ACCEPT + FORMULAS + CHAINS + TWO_CHAINS,
)
def test_bad_input_is_named_on_one_line(
    function: Callable[..., Any], arguments: tuple[Any, ...], expected: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        function(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert [part for part in expected if part not in message] == [], message


def test_callers_may_catch_it_as_a_value_error() -> None:
    assert issubclass(InvalidInput, ValueError)
