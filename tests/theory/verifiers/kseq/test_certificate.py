"""The enclosure of rho* in fractions, and of the floats by it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers.kseq.certificate import certify_kseq
from specproof.theory.verifiers.kseq.factor import division_factor
from specproof.theory.verifiers.kseq.law import kseq

OVERLAPPING = (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]))


@given(pair=rough_pairs(), num_drafts=st.integers(1, 9))
@with_degenerate(num_drafts=1)
@with_degenerate(num_drafts=4)
@example(pair=(np.array([0.0, 1.0]), np.array([1.0, 5e-324])), num_drafts=2)
def test_every_pair_has_its_acceptance_enclosed(pair: Pair, num_drafts: int) -> None:
    proof = certify_kseq(*pair, num_drafts)
    low, high = map(float, proof.acceptance)
    assert proof.is_proof
    assert low <= high
    assert low - 1e-14 <= kseq(*pair, num_drafts).acceptance <= high + 1e-14


@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-6, 1e-9, 1e-12])
def test_rho_star_has_twelve_digits_also_where_the_laws_are_nearly_equal(spread: float) -> None:
    rng = np.random.default_rng(12)
    draft = dirichlet(6, 1.0, rng, 40)
    target = draft * np.exp(spread * rng.normal(size=draft.shape))
    target /= target.sum(axis=-1, keepdims=True)
    counts = rng.integers(2, 12, size=40)
    assert all(certify_kseq(p, q, k).is_proof for p, q, k in zip(draft, target, counts, strict=True))


def test_rho_star_where_newton_steps_throw_each_other_back() -> None:
    """A kink at q/p = 2.14 between two smooth parts: undamped steps alternate between 2.05 and 2.30 for ever."""
    draft = np.array([0.789374730984499, 1.8081613680334332e-06, 0.21062346085413303])
    target = np.array([0.547837122786569, 0.0007569520547882189, 0.45140592515864275])
    for num_drafts in range(2, 17):
        assert certify_kseq(draft, target, num_drafts).is_proof


@pytest.mark.parametrize("factor", [Fraction(999, 1000), Fraction(1001, 1000)])
def test_a_bracket_beside_the_root_is_no_proof(factor: Fraction) -> None:
    proof = certify_kseq(*OVERLAPPING, 3)
    assert proof.is_proof
    assert not replace(proof, low=proof.low * factor, high=proof.high * factor).is_proof


def test_an_enclosure_by_hand() -> None:
    """p = (1/2, 1/2), q = (1, 0), k = 2: rho* = 3/2 and acceptance 3/4."""
    proof = certify_kseq([0.5, 0.5], [1.0, 0.0], 2)
    assert proof.low < Fraction(3, 2) < proof.high
    assert proof.acceptance[0] < Fraction(3, 4) < proof.acceptance[1]


def test_only_one_pair_at_a_time() -> None:
    with pytest.raises(InvalidInput, match=r"one pair of shape \(V,\): loop over the rows"):
        certify_kseq([[0.5, 0.5]], [0.5, 0.5], 2)


def test_the_bracket_is_around_the_division_factor() -> None:
    rho = Fraction(float(division_factor(*OVERLAPPING, 3)))
    proof = certify_kseq(*OVERLAPPING, 3)
    assert proof.low < rho < proof.high
    assert (proof.high - proof.low) / rho < 3e-12


def test_of_equal_laws_all_is_accepted_at_either_end() -> None:
    proof = certify_kseq([0.5, 0.25, 0.25], [0.5, 0.25, 0.25], 3)
    assert proof.is_proof
    assert proof.low == 1
    assert proof.acceptance == (1, 1)
