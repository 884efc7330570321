from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet, residual, total_variation
from specproof.theory.verifiers.single import maximal_coupling, single_acceptance


def rule_in_fractions(draft: list[Fraction], target: list[Fraction]) -> tuple[list[Fraction], Fraction]:
    """Output law and acceptance of the rule as its steps say: draft, toss, replace."""
    accept = [min(Fraction(1), q / p) if p else Fraction(0) for p, q in zip(draft, target, strict=True)]
    accepted = [p * b for p, b in zip(draft, accept, strict=True)]
    rejected = 1 - sum(accepted)
    excess = [max(q - p, Fraction(0)) for p, q in zip(draft, target, strict=True)]
    total = sum(excess)
    return [a + (rejected * e / total if total else 0) for a, e in zip(accepted, excess, strict=True)], sum(accepted)


def rationals(row: np.ndarray) -> list[Fraction]:
    exact = [Fraction(float(value)) for value in row]
    return [value / sum(exact) for value in exact]


@given(pair=rough_pairs(largest=4))
@with_degenerate()
def test_the_rule_is_exactly_lossless_and_the_law_is_the_rule(pair: Pair) -> None:
    draft, target = as_pair(*pair)
    exact_target = rationals(target)
    output, acceptance = rule_in_fractions(rationals(draft), exact_target)
    assert output == exact_target
    law = maximal_coupling(*pair)
    assert abs(float(law.acceptance) - acceptance) <= 1e-15
    assert max(abs(Fraction(float(a)) - e) for a, e in zip(law.output, output, strict=True)) <= 1e-15


@given(pair=rough_pairs())
@with_degenerate()
def test_parts_of_the_law(pair: Pair) -> None:
    law = maximal_coupling(*pair)
    assert law.is_lossless(pair[1])
    assert abs(law.acceptance - (1 - total_variation(*pair))) <= 1e-15
    assert abs(law.acceptance - law.accepted.sum()) <= 1e-15
    assert law.acceptance <= 1
    assert single_acceptance(*pair, 3) == law.acceptance
    assert np.array_equal(law.residual, residual(*pair))
    assert np.all(law.accepted <= as_pair(*pair)[0])


def test_batches_are_equal_row_by_row() -> None:
    rng = np.random.default_rng(1)
    draft, target = dirichlet(5, 0.4, rng, (3, 1)), dirichlet(5, 0.4, rng, 4)
    batch = maximal_coupling(draft, target)
    for row in np.ndindex(3, 4):
        single = maximal_coupling(draft[row[0], 0], target[row[1]])
        assert np.array_equal(batch.output[row], single.output)
        assert batch.acceptance[row] == single.acceptance
