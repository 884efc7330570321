"""The worst case of K-SEQ: its formula in rational arithmetic, its attainment, and pairs that stay above it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import certify, optimal_acceptance
from specproof.theory.verifiers.kseq.certificate import certify_kseq
from specproof.theory.verifiers.kseq.guarantee import (
    GUARANTEE,
    guaranteed_share,
    kseq_worst_pair,
    kseq_worst_share,
    worst_share_limit,
)
from specproof.theory.verifiers.kseq.law import kseq

COUNTS = (1, 2, 3, 4, 8, 16, 64)


def test_two_drafts_by_hand() -> None:
    """s solves 2s - 3s^2/4 = 1 on (0, 1): s = 2/3, and 1 - (s/2)^2 = 8/9."""
    assert kseq_worst_share(2) == pytest.approx(8 / 9, abs=1e-15)
    draft, target = kseq_worst_pair(2)
    assert draft == pytest.approx([1 / 3, 2 / 3], abs=1e-15)
    assert target == pytest.approx([5 / 9, 4 / 9], abs=1e-15)
    assert guaranteed_share(2) == 0.75


@pytest.mark.parametrize("num_drafts", [2, 3, 4, 8, 16, 64, 1000])
def test_the_root_is_bracketed_in_fractions(num_drafts: int) -> None:
    """A function of s that rises on (0, 1) changes sign within 1e-12 of the s of the worst pair."""
    k, found = num_drafts, Fraction(float(kseq_worst_pair(num_drafts)[0][1]))

    def excess(s: Fraction) -> Fraction:
        return k * s ** (k - 1) - (k - 1 - (1 - Fraction(1, k)) ** k) * s**k - 1

    step = Fraction(1, 10**12)
    assert excess(found - step) < 0 < excess(found + step)
    assert kseq_worst_share(k) == pytest.approx(float(1 - ((1 - Fraction(1, k)) * found) ** k), abs=1e-12)


@pytest.mark.parametrize("num_drafts", COUNTS)
def test_the_worst_pair_attains_it(num_drafts: int) -> None:
    draft, target = kseq_worst_pair(num_drafts)
    assert optimal_acceptance(draft, target, num_drafts) == pytest.approx(1.0, abs=1e-15)
    assert kseq(draft, target, num_drafts).acceptance == pytest.approx(kseq_worst_share(num_drafts), abs=1e-14)


@pytest.mark.parametrize("num_drafts", COUNTS)
def test_equal_laws_attain_the_guarantee_at_rho_k_and_only_there(num_drafts: int) -> None:
    law = np.array([0.25, 0.5, 0.25])
    assert kseq(law, law, num_drafts, num_drafts).acceptance == pytest.approx(guaranteed_share(num_drafts), abs=1e-15)
    assert kseq(law, law, num_drafts).acceptance == 1.0


@given(pair=rough_pairs(), num_drafts=st.integers(1, 20))
@with_degenerate(num_drafts=2)
@with_degenerate(num_drafts=20)
def test_no_pair_is_worse(pair: Pair, num_drafts: int) -> None:
    optimum = float(optimal_acceptance(*pair, num_drafts))
    assert kseq(*pair, num_drafts).acceptance >= kseq_worst_share(num_drafts) * optimum - 1e-14
    assert kseq(*pair, num_drafts, num_drafts).acceptance >= guaranteed_share(num_drafts) * optimum - 1e-14


@pytest.mark.parametrize("num_drafts", [2, 5, 16])
def test_a_slightly_higher_bound_is_broken(num_drafts: int) -> None:
    """The control of the test above, as a proof in fractions: the worst pair is below the worst case plus 1e-11."""
    draft, target = kseq_worst_pair(num_drafts)
    rule, optimum = certify_kseq(draft, target, num_drafts), certify(draft, target, num_drafts)
    assert rule.is_proof
    assert optimum.is_proof
    assert rule.acceptance[1] / optimum.acceptance < kseq_worst_share(num_drafts) + 1e-11


def test_the_worst_case_falls_to_its_limit() -> None:
    shares = [kseq_worst_share(count) for count in (1, 2, 3, 10, 100, 10**4, 10**6, 10**9, 10**15)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == pytest.approx(worst_share_limit(), abs=1e-14)
    assert min(shares) >= worst_share_limit() > GUARANTEE
    assert guaranteed_share(10**12) == pytest.approx(GUARANTEE, abs=1e-12)


@pytest.mark.parametrize("function", [guaranteed_share, kseq_worst_share, kseq_worst_pair])
@pytest.mark.parametrize("num_drafts", [0, -1, 1.5, [1, 2]])
def test_what_is_not_a_number_of_drafts_is_refused(function: object, num_drafts: object) -> None:
    with pytest.raises(InvalidInput, match="num_drafts"):
        function(num_drafts)  # type: ignore[operator]
