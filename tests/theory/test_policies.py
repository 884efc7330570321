"""The four policies for one drafted token; the claim compares them with enumerated rules."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.theory.distribution import dirichlet, softmax, total_variation
from specproof.theory.errors import InvalidInput
from specproof.theory.policies import (
    POLICIES,
    argmax_acceptance,
    best_draft_temperature,
    ratio_acceptance,
    shared_noise_acceptance,
)


def test_neither_argmax_nor_ratio_test_is_always_better() -> None:
    flat, peaked = [0.5, 0.5], [0.9, 0.1]
    assert argmax_acceptance([0.6, 0.4], peaked) > ratio_acceptance([0.6, 0.4], peaked)
    assert argmax_acceptance([0.6, 0.4], flat) < ratio_acceptance([0.6, 0.4], flat)


def test_shared_noise_is_its_sum_with_zeros_and_ties() -> None:
    draft, target = np.array([0.5, 0.25, 0.25, 0.0]), np.array([0.25, 0.125, 0.0, 0.625])
    terms = [1 / sum(max(draft[i] / draft[j], target[i] / target[j]) for i in range(4)) for j in (0, 1)]
    assert shared_noise_acceptance(draft, target) == pytest.approx(sum(terms), abs=1e-15)


def test_shared_noise_lies_between_its_bounds_in_every_row() -> None:
    draft, target = dirichlet(6, 0.5, np.random.default_rng(0), (2, 50))
    distance, found = total_variation(draft, target), shared_noise_acceptance(draft, target)
    assert np.all(found <= 1 - distance + 1e-14)
    assert np.all(found >= (1 - distance) / (1 + distance) - 1e-14)


def test_the_ratio_test_finds_the_temperature_that_makes_the_laws_equal() -> None:
    logits = np.random.default_rng(1).standard_normal((5, 8))
    best = best_draft_temperature(logits, softmax(logits, 0.5), "ratio")
    assert best.temperature == pytest.approx(0.5, abs=1e-4)
    assert best.acceptance == pytest.approx(1.0, abs=1e-6)


def test_argmax_is_the_same_at_every_temperature() -> None:
    logits = np.random.default_rng(2).standard_normal((5, 8))
    target = softmax(np.random.default_rng(3).standard_normal((5, 8)))
    best = best_draft_temperature(logits, target, "argmax")
    assert best.acceptance == pytest.approx(float(argmax_acceptance(softmax(logits), target).mean()), abs=1e-15)


def test_no_policy_accepts_more_than_the_ratio_test_of_a_drawn_token() -> None:
    draft, target = dirichlet(4, 1.0, np.random.default_rng(4), (2, 20))
    for name in ("exact_match", "shared_noise"):
        assert np.all(POLICIES[name](draft, target) <= ratio_acceptance(draft, target) + 1e-15)


@pytest.mark.parametrize(
    ("logits", "target", "policy", "message"),
    [
        ([0.0, 0.0], [0.5, 0.5], "none", "policy is 'none': it must be one of argmax"),
        ([0.0], [0.5, 0.5], "ratio", r"draft_logits has shape \(1,\) and target \(2,\)"),
        ([0.0, 0.0], [0.5, 0.6], "ratio", "target"),
    ],
)
def test_bad_input_is_refused_in_one_line(logits: list[float], target: list[float], policy: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        best_draft_temperature(logits, target, policy)
    assert "\n" not in str(caught.value)
