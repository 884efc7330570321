from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import one_trial
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from specproof.simulations.samplers.inversion import (
    cumulative_shares,
    gather,
    invert,
    invert_after,
    invert_once,
    quantile,
)

ALMOST_ONE = 1 - 2**-53
WEIGHTS = st.lists(
    st.one_of(st.sampled_from([0.0, 5e-324, 1e-300, 0.25, 1.0]), st.floats(0.0, 10.0)), min_size=1, max_size=8
)
UNIFORMS = st.one_of(st.sampled_from([0.0, 2**-53, 0.25, 0.5, ALMOST_ONE]), st.floats(0.0, ALMOST_ONE))

Layout = Callable[[Any, Any], Any]


def shared(weights: Any, uniforms: Any) -> Any:
    return invert(weights, uniforms)


def rows(weights: Any, uniforms: Any) -> Any:
    return invert(weights[None].repeat(len(uniforms), *([1] if isinstance(weights, torch.Tensor) else [0])), uniforms)


LAYOUTS: list[Layout] = [shared, rows]


@given(WEIGHTS, st.lists(UNIFORMS, min_size=1, max_size=5))
@example([0.0, 0.5, 0.0, 0.5, 0.0], [0.0, 0.5, ALMOST_ONE])
@example([0.0, 0.0], [0.0, ALMOST_ONE])
@example([5e-324, 0.0], [0.0, 0.9])
@example([1.0], [0.0, ALMOST_ONE])
@example([0.1] * 8, [0.0, 0.1, 0.7, 0.8, ALMOST_ONE])
def test_all_forms_agree_with_the_loop(weights: list[float], uniforms: list[float]) -> None:
    expected = [one_trial.invert(weights, uniform) for uniform in uniforms]
    for layout in LAYOUTS:
        for kind in (np.asarray, lambda values: torch.tensor(values, dtype=torch.float64)):
            found = layout(kind(weights), kind(uniforms))
            assert found.tolist() == expected
            assert "int64" in str(found.dtype)


@given(WEIGHTS, st.lists(UNIFORMS, min_size=1, max_size=5))
@example([0.0, 0.0], [0.0, ALMOST_ONE])
@example([5e-324, 0.0], [0.0, 0.9])
@example([0.1] * 8, [0.0, 0.1, 0.7, 0.8, ALMOST_ONE])
@example([1.0, 0.0, 3.0, 0.0], [0.25])
def test_the_compiled_form_without_a_table_agrees_with_the_loop(weights: list[float], uniforms: list[float]) -> None:
    for uniform in uniforms:
        assert invert_once(np.array(weights), uniform) == one_trial.invert(weights, uniform)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.lists(UNIFORMS, min_size=1, max_size=5))
@example([0, 0], [0.0, ALMOST_ONE])
@example([0, 3, 0, 5, 0], [0.0, 0.375, ALMOST_ONE])
def test_the_compiled_form_with_a_table_agrees_with_the_loop(counts: list[int], uniforms: list[float]) -> None:
    """Weights that sum to a power of two: then no share is rounded."""
    missing = (1 << sum(counts).bit_length()) - sum(counts) if any(counts) else 0
    weights = [float(count) for count in [missing, *counts]]
    shares = cumulative_shares(np.array(weights))
    for uniform in uniforms:
        assert quantile(shares, uniform) == one_trial.invert(weights, uniform)


@given(WEIGHTS, UNIFORMS)
@example([0.1] * 10, ALMOST_ONE)
def test_rounded_shares_move_a_quantile_by_rounding_alone(weights: list[float], uniform: float) -> None:
    shares = cumulative_shares(np.array([weights, weights]))
    token = quantile(shares[0], uniform)
    assert token == quantile(shares[1], uniform)
    if any(weights):
        assert weights[token] > 0
        before, total = sum(weights[:token]), sum(weights)
        assert before <= uniform * total * (1 + 1e-14) + 5e-324
        assert uniform * total <= (before + weights[token]) * (1 + 1e-14) + 5e-324


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", [np.array, torch.tensor])
@pytest.mark.parametrize("weight_type", ["float32", "float64"])
@pytest.mark.parametrize("uniform_type", ["float32", "float64"])
def test_no_uniform_draws_a_token_of_zero_weight(
    layout: Layout, kind: Any, weight_type: str, uniform_type: str
) -> None:
    namespace = torch if kind is torch.tensor else np
    raw = np.random.default_rng(1).random((200, 7)) ** 8
    raw[np.random.default_rng(2).random(raw.shape) < 0.5] = 0.0
    raw[:, 3] += 1e-30
    largest = 1 - 2.0 ** (-24 if uniform_type == "float32" else -53)
    uniforms = kind([0.0, 1e-30, 0.3, 0.5, largest], dtype=getattr(namespace, uniform_type))
    assert float(uniforms[-1]) < 1
    for row in raw:
        weights = kind(row, dtype=getattr(namespace, weight_type))
        tokens = layout(weights, uniforms)
        assert bool((weights[tokens] > 0).all())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_quantile_that_rounds_to_the_total_draws_the_last_of_the_support(layout: Layout) -> None:
    weights, uniform = np.array([5e-324, 0.0]), 0.9
    assert uniform * weights.sum() == weights.sum(), "no cumulative sum exceeds it"
    assert layout(weights, np.array([uniform])).tolist() == [0]


def test_a_uniform_that_was_rounded_up_to_one_draws_the_last_of_the_support() -> None:
    assert quantile(cumulative_shares(np.array([1.0, 0.0, 3.0, 0.0])), 1.0) == 2


def test_quantiles_at_the_steps() -> None:
    uniforms = np.array([0.0, np.nextafter(0.25, 0), 0.25, np.nextafter(0.75, 0), 0.75, ALMOST_ONE])
    for layout in LAYOUTS:
        assert layout(np.array([0.25, 0.5, 0.25]), uniforms).tolist() == [0, 0, 1, 1, 2, 2]
        assert layout(np.array([2.0, 4.0, 2.0]), uniforms).tolist() == [0, 0, 1, 1, 2, 2], "weights need no sum of 1"


def test_shapes() -> None:
    weights = np.array([0.5, 0.5])
    assert invert(weights, np.full((2, 3), 0.7)).shape == (2, 3)
    assert invert(np.broadcast_to(weights, (2, 3, 2)), np.full((2, 3), 0.7)).shape == (2, 3)
    assert invert(weights, np.array(0.7)).shape == ()


def test_rows_use_their_own_weights() -> None:
    assert invert(np.eye(3), np.full(3, 0.5)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_gather(kind: Any) -> None:
    table = kind([[10.0, 11.0, 12.0], [20.0, 21.0, 22.0]])
    tokens = kind([[2, 0], [1, 1]])
    assert gather(table, tokens).tolist() == [[12.0, 10.0], [21.0, 21.0]]
    assert gather(table[0], tokens).tolist() == [[12.0, 10.0], [11.0, 11.0]]


def test_many_draws_from_few_rows_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(3)
    weights = np.where(rng.random((4, 6)) < 0.4, 0.0, rng.random((4, 6)))
    contexts, uniforms = rng.integers(0, 4, (50, 3)), rng.random((50, 3))
    found = invert_after(cumulative_shares(weights), contexts, uniforms)
    np.testing.assert_array_equal(found, invert(weights[contexts], uniforms))
