"""The optimum with k drafts: every route to it, and a brute force over all sets of tokens in rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet, total_variation, uniform
from specproof.theory.transport import certify, minimum_cut, optimal_acceptance, solve_membership_lp, subset

INSTANCES = 500
AGREEMENT = 1e-9
"""HiGHS is asked for feasibility to 1e-10 in each constraint; the other routes are exact to rounding."""


def rationals(row: np.ndarray) -> list[Fraction]:
    exact = [Fraction(float(value)) for value in row]
    return [value / sum(exact) for value in exact]


def brute_force(draft: np.ndarray, target: np.ndarray, count: int) -> Fraction:
    """1 + min over all 2^V sets of q(A) - P(all drafts in A), the last by listing the draft tuples' total, p(A)^k."""
    proposal, law = rationals(draft), rationals(target)
    best = Fraction(0)
    for members in product([False, True], repeat=len(law)):
        emitted = sum((q for q, member in zip(law, members, strict=True) if member), Fraction(0))
        inside = sum((p for p, member in zip(proposal, members, strict=True) if member), Fraction(0))
        best = min(best, emitted - inside**count)
    return 1 + best


def random_instance(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    size, count = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    concentration = float(rng.choice([0.05, 0.3, 1.0, 5.0]))
    rows = [dirichlet(size, concentration, rng) for _ in range(2)]
    for row in rows:
        if size > 1 and rng.random() < 0.4:
            row[int(rng.integers(size))] = 0.0
        if size > 2 and rng.random() < 0.3:
            row[1] = row[2]
    thinned = [row / row.sum() if row.sum() > 0 else uniform(size) for row in rows]
    return thinned[0], thinned[0] if rng.random() < 0.05 else thinned[1], count


@pytest.mark.parametrize("batch", range(10))
def test_formula_program_brute_force_and_certificate_agree(batch: int) -> None:
    rng = np.random.default_rng([2023, batch])
    for _ in range(INSTANCES // 10):
        draft, target, count = random_instance(rng)
        exact = brute_force(draft, target, count)
        proof = certify(draft, target, count)
        plan = solve_membership_lp(draft, target, count)
        # The certificate's instance is the normalised float64 row, which one more division may move by an ulp.
        assert proof.is_proof
        assert abs(proof.acceptance - exact) <= 1e-15
        assert abs(float(optimal_acceptance(draft, target, count)) - exact) <= 1e-14
        assert abs(plan.acceptance - exact) <= AGREEMENT
        assert abs(plan.gap) <= AGREEMENT


@given(pair=rough_pairs(), num_drafts=st.integers(1, 9))
@with_degenerate(num_drafts=3)
def test_formula_against_brute_force(pair: Pair, num_drafts: int) -> None:
    exact = brute_force(*as_pair(*pair), num_drafts)
    assert abs(float(optimal_acceptance(*pair, num_drafts)) - exact) <= 1e-14


@given(pair=rough_pairs())
@with_degenerate()
def test_more_drafts_never_accept_less_and_one_is_the_overlap(pair: Pair) -> None:
    found = optimal_acceptance(*pair, [1, 2, 3, 5, 8, 1000])
    assert np.all(np.diff(found) >= -1e-15)
    assert found[0] == pytest.approx(1 - total_variation(*pair), abs=1e-15)
    assert np.all((found >= 0) & (found <= 1))


@pytest.mark.parametrize("ratio", [2, 5, 10])
@pytest.mark.parametrize("num_drafts", [1, 2, 5, 20])
def test_uniform_on_a_part(ratio: int, num_drafts: int) -> None:
    found = optimal_acceptance(uniform(100), uniform(100, 100 // ratio), num_drafts)
    assert float(found) == pytest.approx(1 - (1 - 1 / ratio) ** num_drafts, abs=1e-14)


def test_a_tiny_optimum_keeps_its_digits() -> None:
    """Nearly disjoint: q has 1e-30 where p has mass. Subtracting from 1 would give 0."""
    found = optimal_acceptance([1.0, 0.0], [1e-30, 1.0], 4)
    assert float(found) == pytest.approx(1e-30, rel=1e-14)


def test_leading_axes_and_many_numbers_of_drafts() -> None:
    rng = np.random.default_rng(6)
    draft, target = dirichlet(5, 0.5, rng, (3, 1)), dirichlet(5, 0.5, rng, 4)
    counts = np.array([[1, 2], [3, 4]])
    found = optimal_acceptance(draft, target, counts)
    assert found.shape == (3, 4, 2, 2)
    for row in np.ndindex(3, 4):
        for column in np.ndindex(2, 2):
            single = optimal_acceptance(draft[row[0], 0], target[row[1]], int(counts[column]))
            assert found[(*row, *column)] == single


def test_order_of_tokens_does_not_matter() -> None:
    rng = np.random.default_rng(7)
    draft, target = dirichlet(50, 0.5, rng), dirichlet(50, 0.5, rng)
    turned = rng.permutation(50)
    assert optimal_acceptance(draft[turned], target[turned], 3) == pytest.approx(
        optimal_acceptance(draft, target, 3), abs=1e-14
    )


@given(pair=rough_pairs(), count=st.integers(1, 8))
@with_degenerate(count=2)
def test_the_cut_has_the_value_of_the_optimum(pair: Pair, count: int) -> None:
    draft, target = as_pair(*pair)
    cut = minimum_cut(draft, target, count)
    value = target[cut].sum() + 1 - draft[cut].sum() ** count
    assert value == pytest.approx(float(optimal_acceptance(draft, target, count)), abs=1e-12)


def test_a_cut_is_of_its_own_row() -> None:
    rng = np.random.default_rng(5)
    draft, target = dirichlet(9, 0.5, rng, (2, 3)), dirichlet(9, 0.5, rng, 3)
    cuts = minimum_cut(draft, target, 3)
    assert cuts.shape == (2, 3, 9)
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(cuts[index], minimum_cut(draft[index], target[index[1]], 3))


def test_cuts_for_many_numbers_of_drafts_are_those_of_each() -> None:
    rng = np.random.default_rng(6)
    draft, target = dirichlet(9, 0.5, rng, 4), dirichlet(9, 0.5, rng, 4)
    cuts = minimum_cut(draft, target, [[1, 2], [4, 8]])
    assert cuts.shape == (4, 2, 2, 9)
    assert (cuts[:, 0, 0] != cuts[:, 1, 1]).any()
    for place, count in np.ndenumerate([[1, 2], [4, 8]]):
        np.testing.assert_array_equal(cuts[:, *place], minimum_cut(draft, target, count))


@pytest.mark.parametrize("chunk", [8, 12, 39])  # two rows of four tokens at a time, three, nine
def test_rows_in_chunks(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draft, target = dirichlet(4, 0.5, np.random.default_rng(5), (2, 3, 5))
    whole = optimal_acceptance(draft, target, [1, 3])
    monkeypatch.setattr(subset, "_CHUNK", chunk)
    # In another order, as a row that is left out might find its value where the last result was.
    assert np.array_equal(optimal_acceptance(draft[::-1], target[::-1], [1, 3]), whole[::-1])
    for index in np.ndindex(3, 5):
        assert np.array_equal(whole[index], optimal_acceptance(draft[index], target[index], [1, 3]))
