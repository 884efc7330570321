"""The search finds a known minimum, and its local finish never loses what it started from."""

from __future__ import annotations

import numpy as np

from specproof.simulations.attack import Closest, minimise, polish


def kinked(points: np.ndarray) -> np.ndarray:
    """Least, 0, at (1, ..., 1), with kinks along all axes."""
    values: np.ndarray = np.abs(points - 1.0).sum(axis=0)
    return values


def test_the_minimum_is_found_and_sharpened() -> None:
    rough = minimise(kinked, -4.0, 4.0, 3, 30, np.random.default_rng(0))
    fine = polish(kinked, rough, -4.0, 4.0, 500)
    assert fine.value <= rough.value < 0.5
    assert fine.value < 1e-6
    assert fine.value == kinked(fine.point)
    assert 0 < fine.evaluations - rough.evaluations <= 505


def test_what_cannot_be_bettered_is_kept() -> None:
    best = Closest(0.0, np.ones(2), 7)
    found = polish(kinked, best, -4.0, 4.0, 50)
    assert found.value == 0.0
    assert found.point.tolist() == [1.0, 1.0]
    assert found.evaluations > 7
