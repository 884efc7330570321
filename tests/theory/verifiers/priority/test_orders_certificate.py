"""Proofs by priority orders: against all sets in rational arithmetic, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import specproof.theory.verifiers.priority.orders_certificate as module
from specproof.conformance.strategies import DEGENERATE, Pair, rough_laws, rough_pairs, with_degenerate
from specproof.theory.distribution import as_distribution, as_pair, dirichlet, softmax, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import Bracket, optimal_acceptance_different, optimal_acceptance_without_replacement
from specproof.theory.verifiers.priority.orders import independent_drafts, optimal_orders
from specproof.theory.verifiers.priority.orders_certificate import certify_different, certify_without_replacement

WIDTH = 1e-8
"""Orders are mixed in float64: near ties of denormal probabilities leave up to this."""

Row = list[Fraction]


def rationals(row: np.ndarray) -> Row:
    exact = [Fraction(float(value)) for value in as_distribution(row)]
    return [value / sum(exact) for value in exact]


def minimum(target: Row, contained: Callable[[set[int]], Fraction]) -> Fraction:
    """1 + min over A of q(A) - P(all drafts in A), by definition."""
    subsets = ({token for token, member in enumerate(bits) if member} for bits in product([0, 1], repeat=len(target)))
    return 1 + min(sum((target[token] for token in inside), Fraction(0)) - contained(inside) for inside in subsets)


def in_turn(draft: Row, tokens: set[int], count: int, gone: Fraction = Fraction(0)) -> Fraction:
    """All of k distinct drafts are among the tokens."""
    if count == 0:
        return Fraction(1)
    chances = (
        draft[x] / (1 - gone) * in_turn(draft, tokens - {x}, count - 1, gone + draft[x]) for x in tokens if draft[x]
    )
    return sum(chances, Fraction(0))


def assert_proves(found: Bracket, optimum: Fraction) -> None:
    """Not up to rounding: the rational optimum itself lies between the rational bounds."""
    assert found.lower <= optimum <= found.upper
    assert found.gap <= WIDTH


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    size = draw(st.integers(1, 5))
    laws = draw(st.lists(rough_laws(size), min_size=1, max_size=4))
    return np.array(laws, dtype=np.float64), draw(rough_laws(size))


@given(problem=problems())
def test_different_drafts(problem: tuple[np.ndarray, np.ndarray]) -> None:
    drafts, target = problem
    laws = [rationals(row) for row in drafts]
    optimum = minimum(rationals(target), lambda inside: prod(sum(law[x] for x in inside) for law in laws))
    assert_proves(certify_different(drafts, target), Fraction(optimum))


@pytest.mark.parametrize("weights", [(258, 296, 244), (199, 303, 72), (180, 135, 198)])
def test_a_row_is_normalised_once(weights: tuple[int, ...]) -> None:
    """Of these, normalising once more changes the last bit: then equal laws would be two, and 1 no longer proved."""
    law = as_distribution(np.array(weights) / sum(weights))
    assert not np.array_equal(law, as_distribution(law))
    for found in (certify_without_replacement(law, law, 1), certify_different(law[np.newaxis], law)):
        assert found.lower <= 1 <= found.upper


@given(pair=rough_pairs(5), num_drafts=st.integers(1, 3))
@with_degenerate(num_drafts=2)
@settings(deadline=None)
def test_without_replacement(pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    assume(np.count_nonzero(draft) >= num_drafts)
    law = rationals(draft)
    optimum = minimum(rationals(target), lambda inside: in_turn(law, inside, num_drafts))
    assert_proves(certify_without_replacement(draft, target, num_drafts), optimum)


@pytest.mark.parametrize("seed", range(6))
def test_where_no_rate_meets_the_target_both_bounds_are_one_number(seed: int) -> None:
    rng = np.random.default_rng([61, seed])
    base = 2.0 * rng.normal(size=60)
    drafts, target = softmax(base + rng.normal(size=(3, 60))), softmax(base)
    found = certify_different(drafts, target)
    assert found.is_proof
    assert float(found.upper) == pytest.approx(optimal_acceptance_different(drafts, target), abs=2e-13)
    found = certify_without_replacement(drafts[0], target, 2)
    assert found.gap < Fraction(1, 10**70)
    known = float(optimal_acceptance_without_replacement(drafts[0], target, 2))
    assert float(found.upper) == pytest.approx(known, abs=1e-13)


def test_where_the_optimum_is_one_rounded_weights_leave_a_last_digit() -> None:
    rng = np.random.default_rng(63)
    instances = [(dirichlet(6, 5.0, rng, 3), dirichlet(6, 5.0, rng)) for _ in range(40)]
    found = [proof for proof in (certify_different(*instance) for instance in instances) if proof.upper == 1]
    assert any(proof.gap > 0 for proof in found)
    assert all(proof.gap < 1e-14 for proof in found)


@pytest.mark.parametrize("name", DEGENERATE)
def test_the_set_has_the_value_of_the_upper_bound(name: str) -> None:
    draft, target = as_pair(*DEGENERATE[name])
    found = certify_different([draft, target], target)
    inside = found.dual_set
    value = target[inside].sum() + 1.0 - draft[inside].sum() * target[inside].sum()
    assert float(found.upper) == pytest.approx(value, abs=1e-15)


def test_orders_that_are_not_the_best_still_prove_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is taken from the search but its orders, weights and cut: worse ones only part the bounds."""
    rng = np.random.default_rng(62)
    drafts, target = dirichlet(6, 1.0, rng, 2), dirichlet(6, 1.0, rng)
    best, coupling = certify_different(drafts, target), optimal_orders(independent_drafts(drafts), target)
    rough = replace(coupling, orders=coupling.orders[:1], weights=np.ones(1), cut=~coupling.cut)
    monkeypatch.setattr(module, "optimal_orders", lambda *_: rough)
    found = certify_different(drafts, target)
    assert found.lower < best.lower <= best.upper < found.upper


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: certify_different(uniform(3), uniform(3)), r"drafts has shape \(3,\): it must be \(k, V\)"),
        (lambda: certify_different([[0.5, 0.5], [1.0]], uniform(2)), "drafts is not an array of real numbers"),
        (lambda: certify_different([uniform(3)], uniform(4)), "target has 4 tokens and the drafts have 3"),
        (
            lambda: certify_different([uniform(301)], uniform(301)),
            "301 tokens, .* stop at 300: use optimal_acceptance_d",
        ),
        (lambda: certify_without_replacement([0.5, 0.5, 0.0], uniform(3), 3), "num_drafts is 3 and only 2 tokens"),
        (lambda: certify_without_replacement(uniform(3), uniform(3), 0), "num_drafts is 0"),
        (lambda: certify_without_replacement(uniform(3), [0.5, 0.6, 0.0], 2), r"target sums to 1\.1"),
        (lambda: certify_without_replacement(uniform(301), uniform(301), 1), "use optimal_acceptance_without_repl"),
        (lambda: certify_without_replacement(uniform(300), uniform(300), 4), "use optimal_acceptance_without_repl"),
    ],
)
def test_what_cannot_be_certified_is_refused(make: Callable[[], Bracket], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()


def test_rounding_down_parts_the_bounds_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    draft, target = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    fine = certify_without_replacement(draft, target, 2)
    monkeypatch.setattr(module, "MASS_UNIT", 2**10)
    coarse = certify_without_replacement(draft, target, 2)
    assert coarse.lower <= fine.lower <= fine.upper <= coarse.upper
    assert 0 < coarse.gap < Fraction(1, 100)
    assert not coarse.is_proof
