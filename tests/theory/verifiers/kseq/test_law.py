from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import DEGENERATE, Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers.kseq.factor import RHO_TOLERANCE, division_factor
from specproof.theory.verifiers.kseq.law import kseq, law_at, mean_tries
from specproof.theory.verifiers.single import maximal_coupling

COUNTS = st.integers(1, 9)
OVERLAPPING = (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]))


def rationals(row: np.ndarray) -> list[Fraction]:
    exact = [Fraction(float(value)) for value in row]
    return [value / sum(exact) for value in exact]


def tried_in_turn(draft: list[Fraction], target: list[Fraction], count: int, rho: Fraction) -> list[Fraction]:
    """P(token i is accepted), following the k drafts one after the other."""
    once = [min(p, q / rho) for p, q in zip(draft, target, strict=True)]
    accepted, going = [Fraction(0)] * len(draft), Fraction(1)
    for _ in range(count):
        accepted = [a + going * o for a, o in zip(accepted, once, strict=True)]
        going *= 1 - sum(once)
    return accepted


@given(pair=rough_pairs(), num_drafts=COUNTS)
@with_degenerate(num_drafts=3)
def test_at_rho_star_the_residual_is_never_negative_and_nothing_is_lost(pair: Pair, num_drafts: int) -> None:
    """The law is that of the rule followed draft by draft in fractions, and what it leaves is the target's."""
    draft, target = as_pair(*pair)
    rho = Fraction(float(division_factor(*pair, num_drafts)))
    law = kseq(*pair, num_drafts)
    exact_target = rationals(target)
    accepted = tried_in_turn(rationals(draft), exact_target, num_drafts, rho)
    left = [q - a for q, a in zip(exact_target, accepted, strict=True)]
    # The last bisection step and the rounding of the masses leave rho, and so this, uncertain by units of 2^-52.
    assert min(left) >= -1e-14
    assert max(abs(Fraction(float(a)) - e) for a, e in zip(law.accepted, accepted, strict=True)) <= 1e-14
    assert abs(float(law.acceptance) - sum(accepted)) <= 1e-14
    assert np.all(law.residual >= 0)
    assert law.is_lossless(target, 1e-12)


@given(pair=rough_pairs(), num_drafts=COUNTS)
@with_degenerate(num_drafts=4)
def test_rho_star_is_the_root_or_the_end_of_its_interval(pair: Pair, num_drafts: int) -> None:
    """1 - (1 - beta)^k = rho beta to 1e-12, in fractions; a smaller rho breaks it, or rho is 1 already."""
    draft, target = as_pair(*pair)
    rho = float(division_factor(*pair, num_drafts))
    assert 1.0 <= rho <= num_drafts

    def excess(factor: Fraction) -> Fraction:
        beta = sum(min(p, q / factor) for p, q in zip(rationals(draft), rationals(target), strict=True))
        return 1 - (1 - beta) ** num_drafts - factor * beta

    assert abs(excess(Fraction(rho))) <= 1e-12
    if rho > 1.0 + 1e-6:
        assert excess(Fraction(rho) * (1 - Fraction(1, 10**7))) > 0 or not np.any(np.minimum(draft, target) > 1e-15)


@given(pair=rough_pairs(), num_drafts=COUNTS, share=st.floats(0.0, 1.0))
@with_degenerate(num_drafts=3, share=0.5)
def test_every_rho_up_to_k_is_lossless_and_accepts_less(pair: Pair, num_drafts: int, share: float) -> None:
    smallest = float(division_factor(*pair, num_drafts))
    rho = min(smallest + share * (num_drafts - smallest), num_drafts)
    law = kseq(*pair, num_drafts, rho)
    assert law.is_lossless(pair[1], 1e-12)
    assert law.acceptance <= kseq(*pair, num_drafts).acceptance + 1e-15


@given(pair=rough_pairs(), num_drafts=COUNTS)
@with_degenerate(num_drafts=5)
def test_acceptance_between_the_guarantee_and_the_optimum(pair: Pair, num_drafts: int) -> None:
    optimum = optimal_acceptance(*pair, num_drafts)
    found = kseq(*pair, num_drafts).acceptance
    assert (1 - np.exp(-1)) * optimum - 1e-12 <= found <= optimum + 1e-12


@given(pair=rough_pairs())
@with_degenerate()
def test_one_draft_is_the_maximal_coupling(pair: Pair) -> None:
    law, known = kseq(*pair, 1), maximal_coupling(*pair)
    assert division_factor(*pair, 1) == 1.0
    assert np.abs(law.accepted - known.accepted).max() <= 1e-15
    assert np.abs(law.output - known.output).max() <= 1e-15
    assert abs(law.acceptance - known.acceptance) <= 1e-15


@pytest.mark.parametrize("name", ["equal", "disjoint", "one token", "point masses"])
@pytest.mark.parametrize("num_drafts", [1, 2, 8])
def test_rho_star_is_one_where_all_or_nothing_is_accepted(name: str, num_drafts: int) -> None:
    pair = DEGENERATE[name]
    law = kseq(*pair, num_drafts)
    assert division_factor(*pair, num_drafts) == 1.0
    assert law.acceptance == pytest.approx(float(np.array_equal(*pair)), abs=1e-15)
    assert law.is_lossless(pair[1])


def test_rho_star_by_hand() -> None:
    """p = (1/2, 1/2), q = (1, 0), k = 2: beta = 1/2 for rho <= 2, so rho* = (1 - 1/4) / (1/2)."""
    assert division_factor([0.5, 0.5], [1.0, 0.0], 2) == pytest.approx(1.5, abs=1e-14)
    assert kseq([0.5, 0.5], [1.0, 0.0], 2).acceptance == pytest.approx(0.75, abs=1e-14)


def test_rho_star_when_every_ratio_is_cut() -> None:
    """With q/p = 3 and 0 on halves of a third: p = (1/3, 2/3), q = (1, 0), k = 9 has beta = 1/3 up to rho = 3."""
    exact = (1 - (2 / 3) ** 9) * 3
    assert division_factor([1 / 3, 2 / 3], [1.0, 0.0], 9) == pytest.approx(exact, abs=1e-13)


def test_a_rho_below_the_smallest_loses_the_law() -> None:
    """Negative control: the same rule at 0.99 rho* leaves a negative residual, and the output shows it."""
    draft, target = as_pair(*OVERLAPPING)
    rho = division_factor(draft, target, 3)
    assert law_at(draft, target, 3, rho).is_lossless(target)
    assert not law_at(draft, target, 3, 0.99 * rho).is_lossless(target, 1e-6)


@pytest.mark.parametrize("rho", [0.1, 1.0, 1.2])
def test_below_rho_star_the_law_is_kept_where_rho_star_caps_no_token(rho: float) -> None:
    draft, target = as_pair([0.5, 0.5], [1.0, 0.0])  # rho* = 1.5 < q/p = 2
    law, at_star = law_at(draft, target, 2, np.array(rho)), kseq(draft, target, 2)
    assert law.is_lossless(target)
    assert np.abs(law.accepted - at_star.accepted).max() <= 1e-15


@pytest.mark.parametrize("factor", [1 - 1e-9, 0.5, float("nan")])
def test_rho_below_the_smallest_is_refused(factor: float) -> None:
    smallest = float(division_factor(*OVERLAPPING, 3))
    with pytest.raises(InvalidInput) as caught:
        kseq(*OVERLAPPING, 3, factor * smallest)
    message = str(caught.value)
    assert message.startswith(f"rho is {factor * smallest:.17g}, ")
    assert f"[{smallest:.17g}, 3]" in message
    assert "leave rho out" in message
    assert "\n" not in message


def test_rho_above_k_is_refused_and_named_by_its_row() -> None:
    with pytest.raises(InvalidInput, match=r"rho\[1\] is 3\.5, .*, 3\]: .*leave rho out"):
        kseq([OVERLAPPING[0]] * 2, OVERLAPPING[1], 3, [3.0, 3.5])


def test_rho_within_rounding_of_the_smallest_counts_as_the_smallest() -> None:
    smallest = division_factor(*OVERLAPPING, 3)
    law = kseq(*OVERLAPPING, 3, smallest * (1 - 0.5 * RHO_TOLERANCE))
    assert np.array_equal(law.accepted, kseq(*OVERLAPPING, 3).accepted)


@pytest.mark.parametrize("num_drafts", [1, 2, 5])
def test_batches_are_equal_row_by_row(num_drafts: int) -> None:
    rng = np.random.default_rng(3)
    draft, target = dirichlet(6, 0.3, rng, (3, 1)), dirichlet(6, 0.3, rng, 4)
    factors = division_factor(draft, target, num_drafts)
    batch = kseq(draft, target, num_drafts)
    given_rho = kseq(draft, target, num_drafts, factors)
    assert factors.shape == batch.acceptance.shape == (3, 4)
    for row in np.ndindex(3, 4):
        single = kseq(draft[row[0], 0], target[row[1]], num_drafts)
        assert factors[row] == division_factor(draft[row[0], 0], target[row[1]], num_drafts)
        for found in (batch, given_rho):
            assert np.array_equal(found.accepted[row], single.accepted)
            assert np.array_equal(found.residual[row], single.residual)
            assert found.acceptance[row] == single.acceptance


def test_one_pair_at_several_rho() -> None:
    rho = np.array([2.0, 2.5, 3.0])
    law = kseq(*OVERLAPPING, 3, rho)
    assert law.output.shape == (3, 3)
    for row, factor in enumerate(rho):
        assert law.acceptance[row] == kseq(*OVERLAPPING, 3, factor).acceptance


@pytest.mark.parametrize("beta", [0.0, 5e-324, 1e-300, 1e-9, 0.3, 1.0])
@pytest.mark.parametrize("num_drafts", [1, 2, 50])
def test_mean_tries_is_the_geometric_sum(beta: float, num_drafts: int) -> None:
    exact = sum((1 - Fraction(beta)) ** n for n in range(num_drafts))
    assert float(mean_tries(np.float64(beta), num_drafts)) == pytest.approx(float(exact), rel=1e-14)


def test_no_rounding_takes_the_acceptance_past_one() -> None:
    beta = 0.9999999597821478  # one draft's: three accept with 1 + 2^-52, as it is rounded
    assert beta * mean_tries(np.array(beta), 3) > 1.0
    law = law_at(np.array([beta, 1.0 - beta]), np.array([1.0, 0.0]), 3, np.array(1.0))
    assert law.acceptance == 1.0
