"""Lossy rules: their laws by hand, their bounds, and the best under KL; the claim has more models."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.theory.distribution import dirichlet, total_variation
from specproof.theory.errors import InvalidInput
from specproof.theory.lossy import (
    clipped_law,
    ensemble_verification,
    kl_optimal,
    relaxed_top,
    two_thresholds,
    typical_acceptance,
)


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    draft, target = dirichlet(5, 1.0, np.random.default_rng(seed), 2)
    return draft, target


@pytest.mark.parametrize("seed", range(5))
def test_the_clipped_law_keeps_its_bound_and_no_mixture_at_it_accepts_more(seed: int) -> None:
    draft, target = pair(seed)
    for weight in (0.1, 0.5, 0.9):
        mixed = ensemble_verification(draft, target, weight)
        best = kl_optimal(draft, target, mixed.kl)
        assert best.kl <= mixed.kl
        assert best.rejection <= mixed.rejection + 1e-12
        ratio = best.output / target
        free = np.abs(best.output - draft) > 1e-9
        assert {round(float(value), 6) for value in ratio[free]} <= {
            round(float(ratio.min()), 6),
            round(float(ratio.max()), 6),
        }


def test_without_bias_it_is_lossless_and_with_enough_it_rejects_nothing() -> None:
    draft, target = pair(7)
    assert kl_optimal(draft, target, 0.0).rejection == pytest.approx(float(total_variation(draft, target)), abs=1e-12)
    most = float((draft * np.log(draft / target)).sum())
    assert kl_optimal(draft, target, most + 0.01).rejection == pytest.approx(0.0, abs=1e-9)


def test_where_the_target_is_0_so_is_the_output() -> None:
    law = kl_optimal([0.5, 0.5, 0.0], [0.0, 0.5, 0.5], 0.1)
    assert law.output[0] == 0.0
    assert law.output.sum() == pytest.approx(1.0, abs=1e-15)
    assert ensemble_verification([0.5, 0.5, 0.0], [0.0, 0.5, 0.5], 0.5).kl == np.inf


def test_a_clip_of_no_width_is_the_target() -> None:
    draft, target = pair(8)
    assert np.abs(clipped_law(draft, target, 0.0) - target).max() < 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_no_rule_is_below_the_line_of_total_variation(seed: int) -> None:
    draft, target = pair(seed)
    distance = float(total_variation(draft, target))
    laws = [
        typical_acceptance(draft, target, 0.3, 0.5),
        relaxed_top(draft, target, 2, 0.2),
        two_thresholds(draft, target, 0.3, 0.8),
    ]
    assert all(law.rejection + law.tv >= distance - 1e-15 for law in laws)
    assert all(law.output.sum() == pytest.approx(1.0, abs=1e-14) for law in laws)


def test_two_thresholds_at_1_are_exact_match() -> None:
    draft, target = pair(9)
    law = two_thresholds(draft, target, 1.0, 1.0)
    assert np.abs(law.output - target).max() < 1e-15
    assert law.rejection == pytest.approx(1.0 - float(draft @ target), abs=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: typical_acceptance([0.5, 0.5], [0.5, 0.5], 0.0, 0.3), "epsilon is 0.0"),
        (lambda: relaxed_top([0.5, 0.5], [0.5, 0.5], 0, 0.3), "count is 0"),
        (lambda: two_thresholds([0.5, 0.5], [0.5, 0.5], 1.0, 2.0), "accumulated is 2.0"),
        (lambda: ensemble_verification([0.5, 0.5], [0.5, 0.5], -0.1), "weight is -0.1"),
        (lambda: kl_optimal([0.5, 0.5], [0.5, 0.5], -1.0), "divergence is -1.0: it must be at least 0"),
        (lambda: kl_optimal([[0.5, 0.5]], [0.5, 0.5], 0.1), "kl_optimal"),
    ],
)
def test_bad_input_is_refused_in_one_line(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(InvalidInput, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
