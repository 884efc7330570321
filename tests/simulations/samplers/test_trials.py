from __future__ import annotations

import numpy as np
import one_trial
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specproof.simulations.samplers.trials import draw, quantile_table, try_in_turn
from specproof.theory.distribution import dirichlet, zipf

WEIGHTS = st.lists(
    st.one_of(st.sampled_from([0.0, 5e-324, 1e-300, 0.25, 1.0]), st.floats(0.0, 10.0)), min_size=1, max_size=12
)


class Fixed:
    """A generator whose next number is known."""

    def __init__(self, uniform: float) -> None:
        self.uniform = uniform

    def random(self) -> float:
        return self.uniform


@given(WEIGHTS)
@example([0.0, 0.0, 0.0])
@example([1.0])
@example([0.0, 1.0, 0.0, 0.0])
@example([1e-300, 1.0, 1e-300])
@example([0.1] * 7)
def test_the_guide_never_starts_past_the_token(weights: list[float]) -> None:
    """At the edge of every bucket, and next to it, the guided search finds what a search from the start does."""
    table = quantile_table(np.array(weights))
    edges = np.arange(table.guide.size) / table.guide.size
    uniforms = np.concatenate((edges, np.nextafter(edges[1:], 0), edges + 2**-53, [1 - 2**-53]))
    assert uniforms.max() < 1
    for uniform in uniforms:
        assert draw.py_func(table, Fixed(uniform)) == one_trial.invert(weights, uniform)


@pytest.mark.parametrize("size", [1, 2, 3, 64, 1000])
def test_the_guide_leaves_few_steps(size: int) -> None:
    """Four buckets for each token of the support, and no more than eight."""
    assert 4 * size <= quantile_table(zipf(size)).guide.size < 8 * size


@pytest.mark.parametrize("size", [1, 5, 40])
def test_compiled_trials_are_the_loop_on_the_same_stream(size: int) -> None:
    rng = np.random.default_rng(41)
    draft, residual = dirichlet(size, 0.3, rng), dirichlet(size, 0.3, rng)
    thresholds = rng.random((3, size))
    found = try_in_turn(draft, thresholds, residual, 1000, np.random.default_rng(42))
    stream = np.random.default_rng(42)
    expected = [one_trial.try_in_turn(draft, thresholds, residual, stream) for _ in range(1000)]
    assert list(zip(found.tokens.tolist(), found.accepted.tolist(), strict=True)) == expected
    assert set(found.accepted.tolist()) == {-1, 0, 1, 2}


def test_thresholds_differ_by_draft() -> None:
    """The first draft is never accepted, the second always."""
    thresholds = np.array([[0.0, 0.0], [1.0, 1.0]])
    found = try_in_turn(np.array([0.5, 0.5]), thresholds, np.array([0.5, 0.5]), 100, np.random.default_rng(43))
    assert set(found.accepted.tolist()) == {1}
