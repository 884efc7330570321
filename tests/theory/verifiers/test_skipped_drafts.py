"""Many drafts of recursive rejection in one step: against one after the other, and where neither number would end."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet
from specproof.theory.rationals import as_fractions
from specproof.theory.verifiers.recursive import recursive_acceptance, recursive_rejection, residual_weights
from specproof.theory.verifiers.skipped_drafts import clock_after

ROUNDING = 1e-14


def exact_clock(draft: np.ndarray, weights: np.ndarray, num_drafts: int) -> Fraction:
    """The sum of the masses before each draft, in rational numbers."""
    proposal, left = as_fractions(draft), [Fraction(float(weight)) for weight in weights]
    clock = Fraction(0)
    for _ in range(num_drafts):
        mass = sum(left)
        clock += mass
        left = [max(weight - mass * p, Fraction(0)) for weight, p in zip(left, proposal, strict=True)]
    return clock


@given(pair=rough_pairs(), num_drafts=st.integers(1, 40))
@with_degenerate(num_drafts=1)
@with_degenerate(num_drafts=40)
def test_the_clock_is_that_of_the_steps(pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    assert clock_after(draft, target, num_drafts) == pytest.approx(float(exact_clock(draft, target, num_drafts)))


def step_by_step(draft: np.ndarray, target: np.ndarray, num_drafts: int) -> tuple[np.ndarray, np.ndarray]:
    """What is accepted and what is left, draft after draft in extended precision."""
    proposal, left = draft.astype(np.longdouble), target.astype(np.longdouble)
    accepted, offered = np.zeros_like(left), proposal
    for _ in range(num_drafts):
        accepted += np.minimum(left, offered)
        left = np.maximum(left - offered, 0)
        offered = left.sum() * proposal
    return accepted, left


@pytest.mark.parametrize("tokens", [2, 30, 300])
@pytest.mark.parametrize("num_drafts", [65, 2000])
def test_the_law_of_many_drafts_is_that_of_one_after_the_other(tokens: int, num_drafts: int) -> None:
    rng = np.random.default_rng(tokens)
    draft, target = dirichlet(tokens, 0.3, rng, 8), dirichlet(tokens, 0.3, rng, 8)
    draft[0, 0] = 0.0  # never drafted
    target[1] = draft[1] * (1 + 1e-9 * rng.normal(size=tokens))  # all but equal
    draft, target = draft / draft.sum(-1, keepdims=True), target / target.sum(-1, keepdims=True)
    law = recursive_rejection(draft, target, num_drafts)
    for row in range(8):
        accepted, left = step_by_step(draft[row], target[row], num_drafts)
        assert np.abs(law.accepted[row] - accepted).sum() <= ROUNDING
        assert np.abs((1 - law.acceptance[row]) * law.residual[row] - left).sum() <= ROUNDING


@pytest.mark.parametrize("tokens", [2, 50, 2000])
@pytest.mark.parametrize("num_drafts", [10**6, 10**12, 2**62])
def test_any_number_of_drafts_ends(tokens: int, num_drafts: int) -> None:
    rng = np.random.default_rng(7)
    draft, target = as_pair(dirichlet(tokens, 1.0, rng), dirichlet(tokens, 0.3, rng))
    law = recursive_rejection(draft, target, num_drafts)
    assert law.is_lossless(target)
    assert recursive_rejection(draft, target, 64).acceptance <= law.acceptance <= 1.0
    assert float(recursive_acceptance(draft, target, num_drafts)) == float(law.acceptance)
    if num_drafts > 10**6:
        assert law.acceptance == pytest.approx(1.0, abs=ROUNDING)


def test_one_rare_token_is_left_by_the_power_that_it_should_be() -> None:
    """With q on one token alone each draft leaves the part 1 - p of it."""
    rare = 2.0**-40
    left = residual_weights(np.array([1 - rare, rare]), np.array([0.0, 1.0]), 2**40)
    assert left == pytest.approx([0.0, np.exp(2.0**40 * np.log1p(-rare))], rel=1e-9)
