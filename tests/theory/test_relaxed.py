"""OPT and UNO: their laws against their definition in rational arithmetic, and the gap between them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from relaxed_rules import EPSILONS, ROUNDING, raised, rationals, rule_in_fractions, sparse_rows

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet, residual, total_variation, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.relaxed import decoding_opt, decoding_uno, relaxed_law
from specproof.theory.tradeoff import (
    optimal_resampling,
    relaxed_acceptance,
)
from specproof.theory.verifiers.single import maximal_coupling


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
