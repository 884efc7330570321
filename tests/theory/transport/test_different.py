"""The optimum with different drafts: against all sets in rational arithmetic, and its branch and bound."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_laws, rough_pairs, with_degenerate
from specproof.theory.distribution import as_distribution, as_pair, dirichlet, softmax, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import DraftSets, optimal_acceptance, optimal_acceptance_different, optimal_plan


def brute_force(drafts: np.ndarray, target: np.ndarray) -> Fraction:
    exact = [[Fraction(float(value)) for value in as_distribution(row)] for row in (*drafts, target)]
    *laws, law = [[value / sum(row) for value in row] for row in exact]
    best = Fraction(0)
    for members in product([0, 1], repeat=len(law)):
        inside = [sum(p * member for p, member in zip(row, members, strict=True)) for row in laws]
        best = min(best, sum(q * member for q, member in zip(law, members, strict=True)) - prod(inside))
    return 1 + best


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    size = draw(st.integers(1, 6))
    laws = draw(st.lists(rough_laws(size), min_size=1, max_size=4))
    if draw(st.integers(0, 4)) == 0:
        laws.append(laws[0])
    return np.array(laws, dtype=np.float64), draw(rough_laws(size))


@given(problem=problems())
def test_search_against_brute_force(problem: tuple[np.ndarray, np.ndarray]) -> None:
    drafts, target = problem
    assert abs(Fraction(optimal_acceptance_different(drafts, target)) - brute_force(drafts, target)) <= 2e-13


@given(pair=rough_pairs(), num_drafts=st.integers(1, 6))
@with_degenerate(num_drafts=3)
def test_equal_drafts_are_iid_drafts(pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    found = optimal_acceptance_different([draft] * num_drafts, target)
    assert found == pytest.approx(float(optimal_acceptance(draft, target, num_drafts)), abs=2e-13)


@pytest.mark.parametrize("seed", range(12))
def test_the_search_branches_and_is_right(seed: int) -> None:
    """More tokens than are left to brute force, so that bounds decide."""
    rng = np.random.default_rng([31, seed])
    concentration = float(rng.choice([0.1, 1.0, 10.0]))
    drafts, target = dirichlet(16, concentration, rng, 3), dirichlet(16, concentration, rng)
    members = np.arange(1 << 16)[:, None] >> np.arange(16) & 1
    exact = 1 + (members @ target - (members @ drafts.T).prod(axis=1)).min()
    found = optimal_acceptance_different(drafts, target)
    assert found == pytest.approx(exact, abs=2e-13)
    assert found == pytest.approx(optimal_plan(DraftSets.of_different(drafts), target).acceptance, abs=1e-9)


def test_order_of_drafts_does_not_matter() -> None:
    rng = np.random.default_rng(32)
    base = rng.normal(size=500)
    drafts, target = softmax(base + rng.normal(size=(4, 500))), softmax(base)
    found = optimal_acceptance_different(drafts, target)
    assert 0.9 < found < 1
    assert optimal_acceptance_different(drafts[::-1], target) == pytest.approx(found, abs=2e-13)
    assert optimal_acceptance_different(drafts[:3], target) < found


def test_each_draft_covers_a_part() -> None:
    """Four drafts, uniform on the quarters of a uniform target: each is always accepted a quarter of the time."""
    drafts = np.kron(np.eye(4), uniform(4))
    assert optimal_acceptance_different(drafts, uniform(16)) == pytest.approx(1.0, abs=1e-13)
    assert optimal_acceptance_different(drafts[:2], uniform(16)) == pytest.approx(0.5, abs=1e-13)


def test_a_tiny_optimum_keeps_its_digits() -> None:
    assert optimal_acceptance_different([[1.0, 0.0], [1.0, 1e-25]], [1e-30, 1.0]) == pytest.approx(1e-25, rel=1e-4)


def test_a_search_that_does_not_end_in_time_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(33)
    base = rng.normal(size=500)
    drafts, target = softmax(base + rng.normal(size=(4, 500))), softmax(base)
    monkeypatch.setattr("specproof.theory.transport.different.MOST_BOXES", 3)
    with pytest.raises(
        InvalidInput, match=r"drafts has 4 distinct laws, and after 3 boxes the optimum lies between 0\.\d+ and"
    ):
        optimal_acceptance_different(drafts, target)


@pytest.mark.parametrize(
    ("drafts", "target", "message"),
    [
        (uniform(3), uniform(3), r"drafts has shape \(3,\): it must be \(k, V\)"),
        ([uniform(3)], uniform(4), "drafts has 3 tokens and target has 4"),
        ([uniform(3)], [uniform(3)], r"target has shape \(1, 3\)"),
        ([uniform(3), [0.5, 0.5, 0.5]], uniform(3), r"row 1 of drafts sums to 1\.5, not 1"),
        ([[0.5, 0.5], [1.0]], uniform(2), "drafts is not an array of real numbers"),
        ([[np.nan, 1.0]], uniform(2), r"drafts\[0, 0\] = nan"),
    ],
)
def test_what_is_no_instance_is_refused(drafts: np.ndarray, target: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        optimal_acceptance_different(drafts, target)
