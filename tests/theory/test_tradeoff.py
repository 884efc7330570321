"""Over-acceptance: laws against their definition in rational arithmetic, the least bias against a linear program."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import linprog

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet, residual, total_variation, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.relaxed import decoding_opt, decoding_uno, relaxed_law
from specproof.theory.tradeoff import (
    ACCEPT_TOLERANCE,
    minimal_bias,
    optimal_resampling,
    pareto_point,
    relaxed_acceptance,
)
from specproof.theory.verifiers.single import maximal_coupling

ROUNDING = 1e-14
"""A few dozen sums and products of numbers up to 1 in float64."""

EPSILONS = st.sampled_from([0.0, 5e-324, 1e-300, 1e-9, 0.1, 0.4, 1.0, 3.0, float("inf")]) | st.floats(0.0, 1.0)

Law = list[Fraction]


def rationals(row: np.ndarray) -> Law:
    exact = [Fraction(float(value)) for value in row]
    return [value / sum(exact) for value in exact]


def raised(probability: Fraction, epsilon: float) -> Fraction:
    return probability + Fraction(min(epsilon, 1.0))


def rule_in_fractions(draft: Law, target: Law, accept: Law, resampling: Law) -> tuple[Law, Fraction, Fraction]:
    """Output law, rejection and bias of the rule: accept with b, else emit from the resampling law."""
    accepted = [p * b for p, b in zip(draft, accept, strict=True)]
    rejection = 1 - sum(accepted)
    output = [a + rejection * r for a, r in zip(accepted, resampling, strict=True)]
    return output, rejection, sum((abs(a - q) for a, q in zip(output, target, strict=True)), Fraction(0)) / 2


@pytest.mark.parametrize("rule", [decoding_opt, decoding_uno])
@given(pair=rough_pairs(largest=4), epsilon=EPSILONS)
@with_degenerate(epsilon=0.0)
@with_degenerate(epsilon=0.1)
@with_degenerate(epsilon=1.0)
def test_the_laws_are_those_of_their_rules_and_opt_is_on_the_line(rule: object, pair: Pair, epsilon: float) -> None:
    draft, target = (rationals(row) for row in as_pair(*pair))
    accept = [
        min(Fraction(1), raised(q, epsilon) / p) if p else Fraction(1) for p, q in zip(draft, target, strict=True)
    ]
    room = [max(q - b * p, Fraction(0)) for p, q, b in zip(draft, target, accept, strict=True)]
    best = [r / sum(room) for r in room] if any(room) else room
    output, rejection, bias = rule_in_fractions(draft, target, accept, best if rule is decoding_opt else target)
    line = sum((max(p - q, Fraction(0)) for p, q in zip(draft, target, strict=True)), Fraction(0))
    assert rejection + bias == line if rule is decoding_opt else rejection + bias >= line
    law = decoding_opt(*pair, epsilon) if rule is decoding_opt else decoding_uno(*pair, epsilon)
    assert max(abs(Fraction(float(a)) - e) for a, e in zip(law.output, output, strict=True)) <= ROUNDING
    assert abs(Fraction(float(law.rejection)) - rejection) <= ROUNDING
    assert abs(Fraction(float(law.bias)) - bias) <= ROUNDING
    assert max(law.rejection, law.bias) <= 1


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


def over_acceptance(draft: np.ndarray, target: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Anything from min(1, q/p) to 1, often at either end."""
    least = relaxed_acceptance(draft, target, 0.0)
    return np.clip(least + (1 - least) * rng.uniform(-0.2, 1.2, draft.shape), least, 1.0)


def sparse_rows(tokens: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Laws of three kinds of spikiness, a fifth of their tokens with probability zero."""
    law = np.concatenate([dirichlet(tokens, concentration, rng, rows // 3) for concentration in (0.05, 0.5, 3.0)])
    kept = np.where(rng.random(law.shape) < 0.2, 0.0, law)
    totals = kept.sum(axis=-1, keepdims=True)
    return np.divide(kept, totals, out=law, where=totals > 0)


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
    assert np.abs(point.rejection + point.bias - total_variation(draft, target)).max() <= ACCEPT_TOLERANCE
    with pytest.raises(InvalidInput, match="min"):
        pareto_point(draft, target, quotients * (1 - 10 * ACCEPT_TOLERANCE))


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


@given(pair=rough_pairs(), epsilon=EPSILONS)
@with_degenerate(epsilon=0.0)
@with_degenerate(epsilon=0.2)
def test_uno_is_above_opt_by_a_gap_in_closed_form(pair: Pair, epsilon: float) -> None:
    """UNO adds R q to bp: at each token that is beyond the target by what bp + R q exceeds q, less what bp does."""
    draft, target = as_pair(*pair)
    accepted = relaxed_acceptance(*pair, epsilon) * draft
    opt, uno = decoding_opt(*pair, epsilon), decoding_uno(*pair, epsilon)
    assert opt.rejection == uno.rejection
    gap = np.minimum(opt.rejection * target, np.maximum(accepted - (1 - opt.rejection) * target, 0.0)).sum()
    assert abs(uno.bias - opt.bias - gap) <= ROUNDING
    assert uno.rejection + uno.bias >= total_variation(*pair) - ROUNDING


@given(pair=rough_pairs(largest=4), epsilon=EPSILONS)
@with_degenerate(epsilon=0.0)
@with_degenerate(epsilon=0.1)
@example(pair=(np.array([0.5, 0.25, 0.25]), np.array([0.0, 0.5, 0.5])), epsilon=0.0)  # rejected, and yet no gap
def test_the_gap_is_0_exactly_where_resampling_from_the_target_fits(pair: Pair, epsilon: float) -> None:
    """In rationals: if nothing is rejected, or bp <= (1 - R) q at every token that the target can emit."""
    draft, target = (rationals(row) for row in as_pair(*pair))
    accept = [
        min(Fraction(1), raised(q, epsilon) / p) if p else Fraction(1) for p, q in zip(draft, target, strict=True)
    ]
    accepted = [b * p for b, p in zip(accept, draft, strict=True)]
    _, rejection, bias = rule_in_fractions(draft, target, accept, target)
    least = sum((max(a - q, Fraction(0)) for a, q in zip(accepted, target, strict=True)), Fraction(0))
    fits = all(a <= (1 - rejection) * q for a, q in zip(accepted, target, strict=True) if q > 0)
    assert bias >= least
    assert (bias == least) == (rejection == 0 or fits)


def test_uno_is_strictly_above_the_line_where_opt_is_lossless() -> None:
    draft, target = np.array([0.75, 0.25]), np.array([0.25, 0.75])
    assert decoding_opt(draft, target, 0.0).bias == 0.0
    assert decoding_uno(draft, target, 0.0).bias == 0.125  # R = 1/2, and 1/2 of the q(0) = 1/4 it adds is too much


@given(pair=rough_pairs())
@with_degenerate()
def test_without_slack_opt_is_the_lossless_rule(pair: Pair) -> None:
    law, known = decoding_opt(*pair, 0.0), maximal_coupling(*pair)
    assert np.abs(law.output - as_pair(*pair)[1]).max() <= 1e-15
    assert abs(law.rejection + known.acceptance - 1) <= 1e-15
    assert law.bias <= 1e-15
    replaced = law.rejection * optimal_resampling(*pair, relaxed_acceptance(*pair, 0.0))
    assert np.abs(replaced - total_variation(*pair) * residual(*pair)).max() <= 1e-15


@pytest.mark.parametrize("rule", [decoding_opt, decoding_uno])
@pytest.mark.parametrize("epsilon", [1.0, 2.0, float("inf")])
def test_with_slack_one_everything_is_accepted(rule: object, epsilon: float) -> None:
    rng = np.random.default_rng(5)
    draft, target = sparse_rows(4, 300, rng), sparse_rows(4, 300, rng)
    law = decoding_opt(draft, target, epsilon) if rule is decoding_opt else decoding_uno(draft, target, epsilon)
    assert not law.rejection.any()
    assert np.array_equal(law.output, as_pair(draft, target)[0])
    assert np.abs(law.bias - total_variation(draft, target)).max() <= 1e-15


def test_more_slack_rejects_less_and_biases_more() -> None:
    rng = np.random.default_rng(6)
    epsilons = np.linspace(0.0, 1.0, 21)[:, None]
    law = decoding_opt(sparse_rows(5, 300, rng), sparse_rows(5, 300, rng), epsilons)
    assert np.diff(law.rejection, axis=0).max() <= ROUNDING
    assert np.diff(law.bias, axis=0).min() >= -ROUNDING


def test_batches_are_equal_row_by_row() -> None:
    rng = np.random.default_rng(7)
    draft, target = dirichlet(5, 0.4, rng, (3, 1)), dirichlet(5, 0.4, rng, 4)
    epsilons = np.array([0.0, 0.3])[:, None, None]
    for rule in (decoding_opt, decoding_uno):
        batch = rule(draft, target, epsilons)
        assert batch.output.shape == (2, 3, 4, 5)
        assert batch.bias.shape == batch.rejection.shape == (2, 3, 4)
        for level, row, column in np.ndindex(2, 3, 4):
            single = rule(draft[row, 0], target[column], epsilons[level, 0, 0])
            assert np.array_equal(batch.output[level, row, column], single.output)
            assert batch.bias[level, row, column] == single.bias
            assert batch.rejection[level, row, column] == single.rejection


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


@pytest.mark.parametrize(
    ("resampling", "message"),
    [
        ([3.0, 3.0, 3.0], "resampling sums to 9, not 1"),
        ([float("nan"), 0.5, 0.5], r"resampling\[0\] = nan is not finite"),
        ([-0.5, 1.0, 0.5], r"resampling\[0\] = -0.5 is negative"),
        ([[0.0, 0.5, 0.5], [0.5, 0.5, 0.5]], r"row 1 of resampling sums to 1\.5"),
        ([0.5, 0.5], r"resampling has shape \(2,\) and draft \(2, 3\): give one probability for each token"),
        (1.0, r"resampling has shape \(\) and draft \(2, 3\)"),
        (np.full((3, 3), 1 / 3), r"resampling has shape \(3, 3\) and draft \(2, 3\): its leading axes must broadcast"),
        ("residual", "resampling is not an array of real numbers"),
        (["0.2", "0.3", "0.5"], "resampling is not an array of real numbers"),
        ([1j, 0.0, 0.0], "resampling is not an array of real numbers"),
        ([0.0, 0.0, 0.0], r"the rejection\[0\] is 0\.5 and the row of resampling there zeros"),
    ],
    ids=str,
)
def test_what_is_no_resampling_law_is_refused(resampling: object, message: str) -> None:
    draft, target = np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]), np.array([0.25, 0.25, 0.5])
    with pytest.raises(InvalidInput, match=message):
        relaxed_law(draft, target, relaxed_acceptance(draft, target, 0.0), resampling)  # type: ignore[arg-type]


def test_zeros_will_do_where_nothing_is_rejected() -> None:
    law = relaxed_law(uniform(3), uniform(3), np.ones(3), np.zeros(3))
    assert law.output.tolist() == uniform(3).tolist()
    mixed = relaxed_law([[0.5, 0.5], [0.75, 0.25]], [0.5, 0.5], [[1.0, 1.0], [2 / 3, 1.0]], [[0.0, 0.0], [0.0, 1.0]])
    assert mixed.bias == pytest.approx([0.0, 0.0], abs=1e-15)
