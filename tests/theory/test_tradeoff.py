"""Over-acceptance: the line of rejection and bias, and the least bias against a linear program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from relaxed_rules import EPSILONS, ROUNDING, over_acceptance, sparse_rows
from scipy.optimize import linprog

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet, total_variation, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.relaxed import decoding_opt, relaxed_law
from specproof.theory.sum_tolerance import SUM_TOLERANCE
from specproof.theory.tradeoff import (
    minimal_bias,
    optimal_resampling,
    pareto_point,
    relaxed_acceptance,
)


@given(pair=rough_pairs(), epsilon=EPSILONS)
@with_degenerate(epsilon=0.0)
@with_degenerate(epsilon=1e-300)
@with_degenerate(epsilon=0.3)
def test_acceptance_is_a_probability_and_never_below_the_lossless_one(pair: Pair, epsilon: float) -> None:
    draft, target = as_pair(*pair)
    accept = relaxed_acceptance(*pair, epsilon)
    assert np.all((accept >= 0) & (accept <= 1))
    assert np.all(accept * draft >= np.minimum(draft, target) * (1 - 1e-15))
    assert np.all(accept[draft == 0] == 1)
    assert np.all(accept[draft <= target + epsilon] == 1)


@pytest.mark.parametrize("tokens", [1, 2, 5, 20])
def test_rejection_and_least_bias_add_up_to_the_distance(tokens: int) -> None:
    """Theorem 5 on 30,000 random triples (p, q, b); for b below min(1, q/p) the sum is larger: the control."""
    rng = np.random.default_rng(tokens)
    draft, target = sparse_rows(tokens, 30_000, rng), sparse_rows(tokens, 30_000, rng)
    accept = over_acceptance(draft, target, rng)
    rejection = ((1 - accept) * draft).sum(axis=-1)
    distance = total_variation(draft, target)
    assert np.abs(rejection + minimal_bias(draft, target, accept) - distance).max() <= ROUNDING
    under = ((1 - 0.9 * accept) * draft).sum(axis=-1) + minimal_bias(draft, target, 0.9 * accept) - distance
    assert under.min() >= -ROUNDING
    assert under.max() > 0.05


@given(pair=rough_pairs(), share=st.floats(0.0, 1.0), epsilon=EPSILONS)
@with_degenerate(share=0.5, epsilon=0.0)
@with_degenerate(share=1.0, epsilon=0.1)
def test_every_over_acceptance_is_on_the_line(pair: Pair, share: float, epsilon: float) -> None:
    """Some are b_epsilon, and others lie between that and 1; all have the law of their rule with P*."""
    draft, _ = as_pair(*pair)
    least = relaxed_acceptance(*pair, epsilon)
    accept = np.clip(least + share * (1 - least), least, 1.0)
    point = pareto_point(*pair, accept)
    assert abs(point.rejection + point.bias - total_variation(*pair)) <= ROUNDING
    law = relaxed_law(*pair, accept, optimal_resampling(*pair, accept))
    assert abs(point.rejection - law.rejection) <= ROUNDING
    assert abs(point.bias - law.bias) <= ROUNDING
    never_drafted = np.where(draft > 0, accept, 0.0)
    assert pareto_point(*pair, never_drafted) == point


@given(pair=rough_pairs(), share=st.floats(0.0, 0.999))
@with_degenerate(share=0.0)
@with_degenerate(share=0.999)
def test_below_the_lossless_acceptance_a_rule_is_off_the_line_and_refused(pair: Pair, share: float) -> None:
    """By sum [min(p, q) - bp]+ exactly, however the tokens share it."""
    draft, target = as_pair(*pair)
    accept = relaxed_acceptance(*pair, 0.0)
    drafted = int(np.argmax(np.minimum(draft, target)))
    accept[drafted] *= share
    excess = np.maximum(np.minimum(draft, target) - accept * draft, 0.0).sum()
    rejection = np.maximum(draft - accept * draft, 0.0).sum()
    assert abs(rejection + minimal_bias(*pair, accept) - total_variation(*pair) - excess) <= ROUNDING
    if excess > np.finfo(float).tiny:
        with pytest.raises(InvalidInput, match=rf"accept\[{drafted}\] is .* and min\(1, q/p\) is .* there"):
            pareto_point(*pair, accept)


def test_what_is_too_low_is_named_by_place_value_and_threshold() -> None:
    draft, target = np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([0.25, 0.75])
    with pytest.raises(InvalidInput, match=r"accept\[1, 0\] is 0\.25 and min\(1, q/p\) is 0\.5 there"):
        pareto_point(draft, target, [[0.5, 1.0], [0.25, 1.0]])
    with pytest.raises(InvalidInput, match=r"accept\[0, 1\] is 0\.5 and min\(1, q/p\) is 1\.0 there"):
        pareto_point(draft, target, [0.5, 0.5])
    with pytest.raises(InvalidInput, match=r"accept\[1\] is 1\.5: an acceptance probability lies in \[0, 1\]"):
        pareto_point(draft, target, [0.5, 1.5])


def test_rounding_is_no_shortfall() -> None:
    rng = np.random.default_rng(9)
    draft, target = (dirichlet(50, 0.5, rng, 200).astype(np.float32) for _ in range(2))
    quotients = np.minimum(1.0, np.divide(target, draft, out=np.ones_like(target), where=draft > 0))
    assert quotients.dtype == np.float32
    point = pareto_point(draft, target, quotients)
    assert np.abs(point.rejection + point.bias - total_variation(draft, target)).max() <= 2 * SUM_TOLERANCE
    with pytest.raises(InvalidInput, match="min"):
        pareto_point(draft, target, quotients * (1 - 20 * SUM_TOLERANCE))


def least_bias_by_program(draft: np.ndarray, target: np.ndarray, accept: np.ndarray) -> float:
    """Minimise sum(t)/2 over laws P and t >= |bp + R P - q|."""
    size, accepted = draft.size, accept * draft
    rejection = 1 - accepted.sum()
    identity, gap = np.eye(size), target - accepted
    found = linprog(
        np.concatenate((np.zeros(size), np.full(size, 0.5))),
        A_ub=np.block([[rejection * identity, -identity], [-rejection * identity, -identity]]),
        b_ub=np.concatenate((gap, -gap)),
        A_eq=np.concatenate((np.ones(size), np.zeros(size)))[None],
        b_eq=[1.0],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert found.status == 0, found.message
    return float(found.fun)


@pytest.mark.parametrize("tokens", [1, 2, 3, 6])
def test_least_bias_against_a_linear_program(tokens: int) -> None:
    """For any b in [0, 1]; HiGHS may miss each of its 2 V + 1 constraints by 1e-10."""
    rng = np.random.default_rng(100 + tokens)
    draft, target = sparse_rows(tokens, 30, rng), sparse_rows(tokens, 30, rng)
    for accept in (rng.random(draft.shape), over_acceptance(draft, target, rng), np.zeros_like(draft)):
        found = minimal_bias(draft, target, accept)
        for index in range(30):
            expected = least_bias_by_program(draft[index], target[index], accept[index])
            assert found[index] == pytest.approx(expected, abs=2e-9)


def test_least_bias_in_its_other_closed_form() -> None:
    rng = np.random.default_rng(3)
    draft, target = sparse_rows(6, 3000, rng), sparse_rows(6, 3000, rng)
    accept = rng.random(draft.shape)
    other = 0.5 * (np.abs(target - accept * draft).sum(axis=-1) - ((1 - accept) * draft).sum(axis=-1))
    assert np.abs(minimal_bias(draft, target, accept) - other).max() <= ROUNDING


def test_a_resampling_law_costs_exactly_what_it_puts_beyond_the_room() -> None:
    """TV(A, q) - min = sum [R P - [q - bp]+]+: optimal are the P with R P <= [q - bp]+, and no others."""
    rng = np.random.default_rng(4)
    draft, target = sparse_rows(5, 3000, rng), sparse_rows(5, 3000, rng)
    for accept in (rng.random(draft.shape), over_acceptance(draft, target, rng)):
        room = np.maximum(target - accept * draft, 0.0)
        rejection = ((1 - accept) * draft).sum(axis=-1, keepdims=True)
        for resampling in (sparse_rows(5, 3000, rng), target, optimal_resampling(draft, target, accept)):
            beyond = np.maximum(rejection * resampling - room, 0.0).sum(axis=-1)
            bias = relaxed_law(draft, target, accept, resampling).bias
            assert np.abs(bias - minimal_bias(draft, target, accept) - beyond).max() <= ROUNDING
        assert beyond.max() <= ROUNDING, "the last one is P*"


def test_no_probability_exceeds_one_however_the_sums_are_rounded() -> None:
    law = dirichlet(5, 1.0, np.random.default_rng(8), 2000)
    nothing = np.zeros_like(law)
    draft, target = np.concatenate((law, nothing), axis=-1), np.concatenate((nothing, law[::-1]), axis=-1)
    assert as_pair(draft, target)[0].sum(axis=-1).max() > 1
    for epsilon in (0.0, 1.0):
        found = decoding_opt(draft, target, epsilon)
        assert found.rejection.max() <= 1
        assert found.bias.max() <= 1
    assert minimal_bias(draft, target, np.ones_like(draft)).max() <= 1


def test_where_nothing_is_rejected_nothing_is_resampled() -> None:
    assert optimal_resampling(uniform(3), uniform(3), np.ones(3)).tolist() == [0.0, 0.0, 0.0]
    assert minimal_bias(uniform(3), uniform(3), np.ones(3)) == 0.0
