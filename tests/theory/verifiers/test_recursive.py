"""Recursive rejection: the law against its steps in rational arithmetic, its bounds, its limit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import DEGENERATE, Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, bernoulli, dirichlet, total_variation, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers.recursive import (
    certify_recursive,
    recursive_acceptance,
    recursive_rejection,
    residual_limit,
    residual_weights,
)
from specproof.theory.verifiers.selection_law import SelectionLaw
from specproof.theory.verifiers.single import maximal_coupling

ROUNDING = 1e-14
"""A few steps on a few tokens, each of a few units in the last place of numbers up to 1."""

Law = list[Fraction]


def rationals(row: np.ndarray) -> Law:
    exact = [Fraction(float(value)) for value in row]
    return [value / sum(exact) for value in exact]


def distance(draft: Law, target: Law) -> Fraction:
    return sum((abs(p - q) for p, q in zip(draft, target, strict=True)), Fraction(0)) / 2


def steps_in_fractions(draft: Law, target: Law, num_drafts: int) -> tuple[Law, Fraction, Fraction]:
    """Output law, acceptance and the product of distances: draft, toss, go on with the normalised residual."""
    output, reached, product, current = [Fraction(0)] * len(draft), Fraction(1), Fraction(1), target
    for _ in range(num_drafts):
        if not reached:
            break
        chances = [min(p, q) for p, q in zip(draft, current, strict=True)]
        output = [o + reached * c for o, c in zip(output, chances, strict=True)]
        reached *= 1 - sum(chances)
        product *= distance(draft, current)
        excess = [max(q - p, Fraction(0)) for p, q in zip(draft, current, strict=True)]
        current = [e / sum(excess) for e in excess] if any(excess) else current
    return [o + reached * q for o, q in zip(output, current, strict=True)], 1 - reached, product


@given(pair=rough_pairs(largest=4), num_drafts=st.integers(1, 4))
@with_degenerate(num_drafts=1)
@with_degenerate(num_drafts=3)
def test_the_law_is_that_of_its_steps(pair: Pair, num_drafts: int) -> None:
    exact = [rationals(row) for row in as_pair(*pair)]
    output, acceptance, product = steps_in_fractions(*exact, num_drafts)
    assert output == exact[1], "the rule is lossless, exactly"
    assert acceptance == 1 - product
    law = recursive_rejection(*pair, num_drafts)
    assert abs(Fraction(float(law.acceptance)) - acceptance) <= ROUNDING
    assert max(abs(Fraction(float(a)) - b) for a, b in zip(law.output, output, strict=True)) <= ROUNDING


@given(pair=rough_pairs(), num_drafts=st.sampled_from([1, 2, 7, 10**9]))
@with_degenerate(num_drafts=3)
@with_degenerate(num_drafts=10**9)
def test_the_acceptance_alone_is_that_of_the_law(pair: Pair, num_drafts: int) -> None:
    law = recursive_rejection(*pair, num_drafts)
    assert float(recursive_acceptance(*pair, num_drafts)) == pytest.approx(float(law.acceptance), rel=1e-12, abs=1e-300)


def test_acceptance_by_hand() -> None:
    """p = (1/2, 1/2), q = (1, 0): each draft is token 1 and fails with probability 1/2, whatever came before."""
    for num_drafts in (1, 2, 5):
        assert recursive_rejection(uniform(2), bernoulli(0.0), num_drafts).acceptance == 1 - 0.5**num_drafts


@given(pair=rough_pairs(), num_drafts=st.integers(1, 40))
@with_degenerate(num_drafts=2)
@with_degenerate(num_drafts=40)
def test_parts_of_the_law(pair: Pair, num_drafts: int) -> None:
    law = recursive_rejection(*pair, num_drafts)
    assert law.is_lossless(pair[1])
    assert abs(law.acceptance - law.accepted.sum()) <= ROUNDING
    assert 0 <= law.acceptance <= 1
    assert np.all((law.accepted >= 0) & (law.residual >= 0))
    assert law.residual.sum() == pytest.approx(1.0, abs=ROUNDING) or not law.residual.any()


@given(pair=rough_pairs(), num_drafts=st.integers(1, 12))
@with_degenerate(num_drafts=1)
@with_degenerate(num_drafts=4)
def test_acceptance_rises_with_drafts_and_stays_below_the_optimum(pair: Pair, num_drafts: int) -> None:
    fewer, more = (float(recursive_rejection(*pair, k).acceptance) for k in (num_drafts, num_drafts + 1))
    assert fewer <= more
    assert fewer <= optimal_acceptance(*pair, num_drafts) + ROUNDING


def test_the_optimum_is_not_always_reached() -> None:
    draft, target = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    assert recursive_rejection(draft, target, 2).acceptance < optimal_acceptance(draft, target, 2) - 0.01


@given(pair=rough_pairs())
@with_degenerate()
def test_one_draft_is_maximal_coupling(pair: Pair) -> None:
    law, known = recursive_rejection(*pair, 1), maximal_coupling(*pair)
    assert np.abs(law.accepted - known.accepted).max() <= 1e-15
    assert np.array_equal(law.residual, known.residual)
    assert abs(law.acceptance - known.acceptance) <= 1e-15


@pytest.mark.parametrize("num_drafts", [1, 2, 7])
def test_equal_laws_reject_nothing_however_they_are_rounded(num_drafts: int) -> None:
    law = dirichlet(5, 1.0, np.random.default_rng(2), 200)
    assert (law.sum(axis=-1) != 1.0).any()
    found = recursive_rejection(law, law, num_drafts)
    assert np.all(found.acceptance == 1.0)
    assert not found.residual.any()


def test_the_residual_of_a_recursion_with_q_in_the_residuals_place_is_not_lossless() -> None:
    """The control of the first test: all drafts are tried against q itself, then its residual is emitted."""
    draft, target = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.4, 0.5])
    once, missed = np.minimum(draft, target), float(total_variation(draft, target))
    broken = SelectionLaw(once * (1 + missed), maximal_coupling(draft, target).residual, np.float64(1 - missed**2))
    assert not broken.is_lossless(target, 0.01)


@pytest.mark.parametrize("name", DEGENERATE)
def test_the_limit_keeps_the_target_where_nothing_is_drafted(name: str) -> None:
    draft, target = as_pair(*DEGENERATE[name])
    left, limit = residual_weights(draft, target, 5), residual_limit(draft, target)
    assert np.all(left >= limit), "the limit is approached from above"
    assert limit.tolist() == [0.0 if p else q for p, q in zip(draft, target, strict=True)]


@given(st.lists(st.integers(0, 4), min_size=3, max_size=6), st.data())
def test_many_drafts_reach_the_limit(weights: list[int], data: st.DataObject) -> None:
    """Any token is drafted with 1/24 or more or never: (23/24)^900 is below 1e-16."""
    size = len(weights)
    draft = np.array(weights if any(weights) else [1] * size, float)
    target = np.array(data.draw(st.lists(st.integers(0, 4), min_size=size, max_size=size).filter(any)), float)
    draft, target = draft / draft.sum(), target / target.sum()
    left, limit = residual_weights(draft, target, 900), residual_limit(draft, target)
    assert np.abs(left - limit).max() <= ROUNDING
    if limit.any():  # then the mass never falls below 1/24, and what can be drafted is gone within 24^2 steps
        assert np.array_equal(left, limit)


@pytest.mark.parametrize("name", ["equal", "disjoint", "one token", "point masses", "zeros on both sides"])
def test_where_nothing_changes_any_more_the_number_of_drafts_costs_nothing(name: str) -> None:
    """2^62 steps would not end."""
    draft, target = as_pair(*DEGENERATE[name])
    assert np.array_equal(residual_weights(draft, target, 2**62), residual_limit(draft, target))


def test_batches_are_equal_row_by_row() -> None:
    rng = np.random.default_rng(1)
    draft, target = dirichlet(5, 0.4, rng, (3, 1)), dirichlet(5, 0.4, rng, 4)
    target[0] = draft[0, 0]
    batch = recursive_rejection(draft, target, 3)
    assert batch.acceptance.shape == (3, 4)
    for row in np.ndindex(3, 4):
        single = recursive_rejection(draft[row[0], 0], target[row[1]], 3)
        assert np.array_equal(batch.output[row], single.output)
        assert batch.acceptance[row] == single.acceptance


@given(pair=rough_pairs(largest=4), num_drafts=st.integers(1, 4))
@with_degenerate(num_drafts=3)
def test_the_certificate_is_the_exact_acceptance(pair: Pair, num_drafts: int) -> None:
    exact = [rationals(row) for row in as_pair(*pair)]
    acceptance = steps_in_fractions(*exact, num_drafts)[1]
    assert certify_recursive(*pair, num_drafts) == (acceptance, acceptance)


def test_a_certificate_that_would_not_end_is_refused_with_what_would() -> None:
    draft, target = uniform(2), bernoulli(0.2)
    with pytest.raises(InvalidInput, match=r"num_drafts is 1000000000000: .*take at most 131072 drafts"):
        certify_recursive(draft, target, 10**12)
