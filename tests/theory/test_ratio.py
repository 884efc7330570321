from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair
from specproof.theory.ratio import acceptance_ratio, ascending, likelihood_ratio, sort_by_ratio


@given(pair=rough_pairs())
@with_degenerate()
def test_order_is_that_of_the_exact_quotients(pair: Pair) -> None:
    """Up to what float64 quotients can tell apart: neighbours may be swapped if they agree to 1e-15 or overflow."""
    draft, target = as_pair(*pair)
    order = sort_by_ratio(draft[np.newaxis], target[np.newaxis]).order[0]
    assert sorted(order.tolist()) == list(range(draft.size))
    void = (draft == 0) & (target == 0)
    ordered_void = void[order]
    assert np.array_equal(ordered_void, np.sort(ordered_void)), "0/0 comes last"
    drafted = [i for i in order if not void[i]]
    for first, second in pairwise(drafted):
        left = Fraction(target[first]) * Fraction(draft[second])
        right = Fraction(target[second]) * Fraction(draft[first])
        overflows = draft[first] < 1e-300 and draft[second] < 1e-300
        underflows = target[first] < 1e-300 and target[second] < 1e-300
        assert left >= right * (1 - Fraction(1, 10**15)) or overflows or underflows


@given(pair=rough_pairs())
@with_degenerate()
def test_masses_are_those_of_heads_and_tails(pair: Pair) -> None:
    draft, target = as_pair(*pair)
    by_ratio = sort_by_ratio(draft[np.newaxis], target[np.newaxis])
    for split in range(draft.size + 1):
        head, tail = by_ratio.order[0, :split], by_ratio.order[0, split:]
        assert abs(by_ratio.draft_head[0, split] - sum(map(Fraction, draft[head]))) <= 1e-15
        exact = float(sum(map(Fraction, target[tail])))
        assert abs(by_ratio.target_tail[0, split] - exact) <= 1e-15 * exact, "a small tail keeps its digits"


def test_acceptance_of_every_kind_of_token() -> None:
    draft = np.array([0.0, 0.0, 0.5, 0.25, 0.25, 5e-324])
    target = np.array([0.0, 0.25, 0.25, 0.25, 0.0, 0.25])
    assert acceptance_ratio(draft, target).tolist() == [0.0, 0.0, 0.5, 1.0, 0.0, 1.0]


@given(pair=rough_pairs())
@with_degenerate()
def test_the_quick_order_ascends(pair: Pair) -> None:
    found = likelihood_ratio(*as_pair(*pair))[np.newaxis]
    order = ascending(found)
    assert np.array_equal(np.sort(order), np.arange(found.size)[np.newaxis])
    assert np.array_equal(found[0, order[0]], np.sort(found[0]))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 3000])
@pytest.mark.parametrize("spread", [0, 1, 8, 300, 2**40])
def test_the_quick_order_tells_quotients_with_equal_leading_bits_apart(size: int, spread: int) -> None:
    """Units in the last place apart, at random or falling: a few are moved, and too many are sorted otherwise."""
    rng = np.random.default_rng([6, size, spread])
    steps = np.stack([rng.integers(0, spread + 1, size), np.sort(rng.integers(0, spread + 1, size))[::-1]])
    found = (np.float64(1.0).view(np.int64) + steps).view(np.float64)
    assert np.array_equal(np.take_along_axis(found, ascending(found), axis=-1), np.sort(found, axis=-1))


def test_the_first_two_of_equal_leading_bits_are_put_right() -> None:
    assert ascending(np.array([[1.0 + 2.0**-52, 1.0]])).tolist() == [[1, 0]]


def test_equal_quotients_stand_in_the_order_of_the_tokens() -> None:
    found = np.tile([1.0, 0.5, -1.0, np.inf], 100)[np.newaxis]
    assert np.array_equal(ascending(found), np.argsort(found, axis=-1, kind="stable"))
