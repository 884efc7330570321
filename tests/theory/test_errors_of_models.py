"""What is said of models, alone or in pairs, that cannot be used: one line with the name, the place and the value."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from bad_arguments import BAD_DRAFTS, HALF, Case, assert_named_on_one_line

from specproof import (
    MarkovChain,
    TabularModel,
    batch_limit,
    expected_rejections,
    expected_rejections_batch,
    maximal_coupling,
    random_markov_pair,
    random_tabular_pair,
    rejection_law,
    rejection_rates,
)
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration

NAN = float("nan")
RNG = np.random.default_rng(0)
NO_DRAWS: Any = None
"""A generator that is not to be used: what is too large is refused before any row is drawn."""
CHAIN = MarkovChain(HALF, [HALF, HALF], 3)
LONGER = MarkovChain(HALF, [HALF, HALF], 4)
WIDER = MarkovChain([1.0, 0.0, 0.0], np.eye(3), 3)
TABLE = CHAIN.tabulate()
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


@pytest.mark.parametrize(("function", "arguments", "expected"), CHAINS + TWO_CHAINS)
def test_bad_models_are_named_on_one_line(
    function: Callable[..., Any], arguments: tuple[Any, ...], expected: tuple[str, ...]
) -> None:
    assert_named_on_one_line(function, arguments, expected)
