"""Instances: all of them distributions, the degenerate ones among them."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.simulations.claims.example_pairs import named_pairs, random_pair, random_rows
from specproof.theory.distribution import as_distribution


def test_named_pairs_are_the_same_every_time_and_hold_the_corners() -> None:
    first, second = named_pairs(), named_pairs()
    for name, laws in first.items():
        for law, again in zip(laws, second[name], strict=True):
            np.testing.assert_allclose(as_distribution(law), law, rtol=1e-15)
            np.testing.assert_array_equal(law, again)
    assert np.array_equal(*first["equal"])
    assert not np.any(first["disjoint"][0] * first["disjoint"][1])
    assert [law.size for law in first["one token"]] == [1, 1]
    draft, target = first["zeros on both sides"]
    assert np.any((draft == 0) & (target > 0))
    assert np.any((draft > 0) & (target == 0))


@pytest.mark.parametrize("seed", range(3))
def test_random_pairs_are_distributions_of_every_size_with_zeros_and_equal_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = [random_pair(rng, 5) for _ in range(300)]
    for draft, target in pairs:
        np.testing.assert_allclose([as_distribution(draft).sum(), as_distribution(target).sum()], 1.0, rtol=1e-15)
    assert {draft.size for draft, _ in pairs} == {1, 2, 3, 4, 5}
    assert any(np.array_equal(draft, target) and draft.size > 1 for draft, target in pairs)
    assert any(np.any(draft == 0) for draft, _ in pairs)


@pytest.mark.parametrize("tokens", [1, 2, 15])
@pytest.mark.parametrize("rows", [1, 3, 4, 50])
def test_random_rows_are_distributions(tokens: int, rows: int) -> None:
    draft, target = random_rows(np.random.default_rng(1), tokens, rows)
    assert draft.shape == target.shape == (rows, tokens)
    np.testing.assert_allclose(as_distribution(draft).sum(axis=-1), 1.0, rtol=1e-15)
    np.testing.assert_allclose(as_distribution(target).sum(axis=-1), 1.0, rtol=1e-15)
