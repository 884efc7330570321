"""The expected accepted length of priority layer verification, against the call enumerated and at both ends."""

from __future__ import annotations

import numpy as np
import pytest

from specproof import (
    InvalidInput,
    MarkovChain,
    block_efficiency,
    layer_efficiency,
    layer_law,
    optimal_acceptance,
    random_markov_pair,
    random_tabular_pair,
)

TOLERANCE = 1e-12


@pytest.mark.parametrize(
    ("tokens", "length", "count"),
    [
        (3, 2, 2),
        pytest.param(2, 3, 3, marks=pytest.mark.slow),
        pytest.param(4, 2, 3, marks=pytest.mark.slow),
        (3, 1, 4),
        (4, 3, 1),
    ],
)
def test_it_is_the_mean_of_the_enumerated_call(tokens: int, length: int, count: int) -> None:
    pair = random_tabular_pair(tokens, length + 1, np.random.default_rng(31))
    law = layer_law(*pair, count, length, "priority").accepted_length
    at_least = np.cumsum(law[::-1])[::-1][1:]
    np.testing.assert_allclose(layer_efficiency(*pair, count, length), at_least, atol=TOLERANCE)


def test_one_position_is_the_optimum_at_any_number_of_drafts() -> None:
    draft, target = random_markov_pair(30, 2, np.random.default_rng(32))
    for count in (1, 2, 5, 40):
        found = layer_efficiency(draft, target, count, 1)
        np.testing.assert_allclose(found, optimal_acceptance(draft.initial, target.initial, count), atol=TOLERANCE)


def test_a_chain_of_many_tokens_is_above_level_by_level() -> None:
    pair = random_markov_pair(12, 3, np.random.default_rng(33))
    assert layer_efficiency(*pair, 3, 2).sum() > block_efficiency(*pair, 3, 2, "priority") - 1.0 + 1e-3


def test_tokens_that_are_never_drafted_cost_no_enumeration() -> None:
    law = [0.5, 0.5] + [0.0] * 60
    draft, target = MarkovChain(law, [law] * 62, 3), MarkovChain(np.full(62, 1 / 62), np.full((62, 62), 1 / 62), 3)
    found = layer_efficiency(draft, target, 8, 2)
    assert found[0] == pytest.approx(2 / 62, abs=TOLERANCE)


def test_what_does_not_fit() -> None:
    pair = random_tabular_pair(3, 2, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="length is 3 but the models have horizon 2"):
        layer_efficiency(*pair, 2, 3)
    with pytest.raises(InvalidInput, match=r"num_drafts is 10.*take fewer drafts"):
        layer_efficiency(*pair, 10**12, 1)
    with pytest.raises(InvalidInput, match="tolerance is 1"):
        layer_efficiency(*pair, 2, 2, 1.0)
