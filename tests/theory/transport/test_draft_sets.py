"""The law of the set of drafted tokens, against every draft tuple by definition in rational arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, product
from math import prod

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from specproof.conformance.strategies import DEGENERATE, rough_laws
from specproof.theory.distribution import as_distribution, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import DraftSets, draft_sets

Sets = dict[tuple[int, ...], Fraction]


def rationals(row: np.ndarray) -> list[Fraction]:
    exact = [Fraction(float(value)) for value in as_distribution(row)]
    return [value / sum(exact) for value in exact]


def by_definition(size: int, count: int, probability: Callable[[tuple[int, ...]], Fraction]) -> Sets:
    """Add up P(X = x) over all tuples x with the same tokens."""
    law: Sets = defaultdict(Fraction)
    for drafts in product(range(size), repeat=count):
        law[tuple(sorted(set(drafts)))] += probability(drafts)
    return {drawn: mass for drawn, mass in law.items() if mass > 0}


def in_turn(draft: list[Fraction], drafts: tuple[int, ...]) -> Fraction:
    if len(set(drafts)) < len(drafts):
        return Fraction(0)
    probability = Fraction(1)
    for index, token in enumerate(drafts):
        if not draft[token]:
            return Fraction(0)
        probability *= draft[token] / (1 - sum(draft[before] for before in drafts[:index]))
    return probability


def check(found: DraftSets, exact: DraftSets, expected: Sets) -> None:
    assert {drawn: mass for drawn, mass in zip(exact.sets, exact.masses, strict=True) if mass} == expected
    assert found.sets == exact.sets
    assert found.probability == pytest.approx(exact.probability, rel=1e-14, abs=1e-320)
    assert found.membership.toarray().tolist() == [
        [float(token in drawn) for token in range(found.vocabulary)] for drawn in found.sets
    ]
    assert list(map(tuple, np.split(found.membership.indices, found.membership.indptr[1:-1]))) == list(found.sets)


@given(draft=rough_laws(4), num_drafts=st.integers(1, 4))
def test_iid(draft: np.ndarray, num_drafts: int) -> None:
    law = rationals(draft)
    expected = by_definition(4, num_drafts, lambda drafts: prod(law[token] for token in drafts))
    check(DraftSets.iid(draft, num_drafts), DraftSets.iid(draft, num_drafts, exact=True), expected)


@given(drafts=st.lists(rough_laws(3), min_size=1, max_size=4))
def test_different(drafts: list[np.ndarray]) -> None:
    laws = [rationals(np.asarray(row, dtype=np.float64)) for row in drafts]
    expected = by_definition(
        3, len(laws), lambda drawn: prod(law[token] for law, token in zip(laws, drawn, strict=True))
    )
    stacked = np.array(drafts, dtype=np.float64)
    check(DraftSets.of_different(stacked), DraftSets.of_different(stacked, exact=True), expected)


@given(draft=rough_laws(4), num_drafts=st.integers(1, 4))
def test_without_replacement(draft: np.ndarray, num_drafts: int) -> None:
    assume(np.count_nonzero(as_distribution(draft)) >= num_drafts)
    law = rationals(draft)
    expected = by_definition(4, num_drafts, lambda drafts: in_turn(law, drafts))
    found = DraftSets.without_replacement(draft, num_drafts)
    check(found, DraftSets.without_replacement(draft, num_drafts, exact=True), expected)


@given(joint=rough_laws(9))
def test_joint(joint: np.ndarray) -> None:
    law = rationals(joint)
    expected = by_definition(3, 2, lambda drafts: law[3 * drafts[0] + drafts[1]])
    square = np.reshape(joint, (3, 3))
    check(DraftSets.of_joint(square), DraftSets.of_joint(square, exact=True), expected)


def test_the_joint_law_of_independent_drafts_is_theirs() -> None:
    drafts = np.array([[0.5, 0.25, 0.25], [0.0, 0.5, 0.5]])
    joint, different = DraftSets.of_joint(np.outer(*drafts)), DraftSets.of_different(drafts)
    assert dict(zip(joint.sets, joint.masses, strict=True)) == dict(zip(different.sets, different.masses, strict=True))


def test_a_draft_after_a_certain_one() -> None:
    """1 - p is 0 in float64, and yet the second draft has a law."""
    found = DraftSets.without_replacement([1.0, 3e-300, 1e-300], 2)
    law = dict(zip(found.sets, found.probability.tolist(), strict=True))
    assert law == pytest.approx({(0, 1): 0.75, (0, 2): 0.25, (1, 2): 0.0})


@pytest.mark.parametrize("name", DEGENERATE)
def test_masses_add_to_one(name: str) -> None:
    draft, _ = DEGENERATE[name]
    support = int(np.count_nonzero(as_distribution(draft)))
    for found in (DraftSets.iid(draft, 3), DraftSets.without_replacement(draft, support)):
        assert found.probability.sum() == pytest.approx(1.0, abs=1e-15)


def test_plans_are_counted_before_they_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over 4 tokens and k = 2: four sets of one and six of two make 16 pairs; without replacement, 12."""
    law = uniform(4)
    makers: dict[int, Callable[[], DraftSets]] = {
        16: lambda: DraftSets.iid(law, 2),
        12: lambda: DraftSets.without_replacement(law, 2),
        8: lambda: DraftSets.of_different([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]),
        6: lambda: DraftSets.of_joint(np.eye(3) / 3),
    }
    for pairs, make in makers.items():
        monkeypatch.setattr("specproof.theory.transport.draft_sets.LARGEST_PLAN", pairs)
        assert make().membership.nnz <= pairs
        monkeypatch.setattr("specproof.theory.transport.draft_sets.LARGEST_PLAN", pairs - 1)
        with pytest.raises(InvalidInput, match=f"has up to {pairs} variables, about .* GB, and the limit is"):
            make()


@pytest.mark.parametrize("num_drafts", [3, 1000, 10**9])
def test_a_plan_past_all_limits_is_refused_at_once(num_drafts: int) -> None:
    with pytest.raises(InvalidInput, match="use optimal_acceptance, which needs no plan"):
        DraftSets.iid(uniform(50_000), num_drafts)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DraftSets.iid(uniform(3), 0), "num_drafts is 0"),
        (lambda: DraftSets.iid([uniform(3)] * 2, 1), r"draft has shape \(2, 3\): give one distribution"),
        (lambda: DraftSets.iid([0.5, np.nan], 1), r"draft\[1\] = nan is not finite"),
        (lambda: DraftSets.without_replacement([0.5, 0.5, 0.0], 3), "num_drafts is 3 and only 2 tokens"),
        (lambda: DraftSets.of_different(uniform(3)), r"drafts has shape \(3,\): it must be \(k, V\)"),
        (lambda: DraftSets.of_different(np.zeros((0, 3))), r"drafts has shape \(0, 3\): it must be \(k, V\)"),
        (lambda: DraftSets.of_different([[0.5, 0.5], [1.0]]), "drafts is not an array of real numbers"),
        (lambda: DraftSets.of_different([[0.5, 0.5], [0.5, 0.4]]), r"row 1 of drafts sums to 0\.9, not 1"),
        (lambda: DraftSets.of_joint(np.full((2, 3), 1 / 6)), r"joint has shape \(2, 3\): it must be \(V,\) \* k"),
        (lambda: DraftSets.of_joint(1.0), r"joint has shape \(\)"),
        (lambda: DraftSets.of_joint(np.full((2, 2), 0.5)), "joint sums to 2, not 1"),
        (lambda: DraftSets.of_joint([[0.5, 0.5], [1.0]]), "joint is not an array"),
    ],
)
def test_what_is_no_draft_law_is_refused(make: Callable[[], DraftSets], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DraftSets.iid(uniform(50_000), 8), r"up to 7\.7e\+33 variables, about 1\.2e\+28 GB"),
        (lambda: DraftSets.iid(uniform(50_000), 10**9), r"up to 7\.\de\+15055 variables"),
        (lambda: DraftSets.iid(uniform(40), 30), r"up to 2\.2e\+13 variables, about 32,967,783 GB"),
        (lambda: DraftSets.of_different(np.full((3, 200), 1 / 200)), "up to 3,980,200 variables, about 5 GB"),
        (lambda: DraftSets.iid(uniform(12), 300), "up to 14,692,860 steps to count, and the limit is"),
        (lambda: DraftSets.without_replacement(uniform(30), 29), "steps to count.*use optimal_acceptance_without_repl"),
    ],
)
def test_refusals_name_the_size(make: Callable[[], DraftSets], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()


@given(support=st.integers(1, 9), num_drafts=st.integers(1, 12))
def test_pairs_and_sets_are_counted_by_definition(support: int, num_drafts: int) -> None:
    sets = [drawn for size in range(1, num_drafts + 1) for drawn in combinations(range(support), size)]
    assert draft_sets._sets_up_to(support, num_drafts) == len(sets)
    assert draft_sets._pairs_up_to(support, num_drafts) == sum(map(len, sets))
