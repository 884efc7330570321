"""The cuts: a tiling, the three cases, against the rational reference."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.simulations.claims.priority.hard_pairs import adversarial_pair, llm_shaped_pair
from specproof.theory.distribution import dirichlet
from specproof.theory.independent.tiling_by_fractions import RationalInterval, RationalTiling, tiling_by_fractions
from specproof.theory.verifiers.priority import PriorityCoupling

DISPLACED = 1e-11
"""Length of [0, 1] that the compiled tiling may give to another token than the rational one."""

HALVED = Fraction(2) ** -60
"""How much of the free space the reference leaves undecided."""


def rationals(row: np.ndarray) -> list[Fraction]:
    exact = [Fraction(float(value)) for value in row]
    return [value / sum(exact) for value in exact]


def upwards(coupling: PriorityCoupling) -> list[tuple[float, float, int]]:
    found = coupling.intervals
    order = np.lexsort((found.lengths, found.starts))
    return list(zip(found.starts[order], found.lengths[order], found.tokens[order].tolist(), strict=True))


def assert_tiling(coupling: PriorityCoupling) -> None:
    """Disjoint, without gaps, and with the length p for each token, to a few units in the last place of 1."""
    found = upwards(coupling)
    reached = Fraction(0)
    for start, length, _ in found:
        assert length > 0
        assert abs(Fraction(start) - reached) <= 2**-51
        reached += Fraction(length)
    assert abs(reached - 1) <= 2**-48
    owned = np.bincount(coupling.intervals.tokens, coupling.intervals.lengths, minlength=coupling.draft.size)
    np.testing.assert_allclose(owned, coupling.draft, rtol=1e-14, atol=0)
    assert len(found) < 2 * np.count_nonzero(coupling.draft)


@given(pair=rough_pairs(largest=12), num_drafts=st.integers(1, 64))
@with_degenerate(num_drafts=3)
def test_intervals_tile_the_unit_interval(pair: Pair, num_drafts: int) -> None:
    assert_tiling(PriorityCoupling(*pair, num_drafts))


@pytest.mark.parametrize("seed", range(60))
def test_so_do_those_of_hard_pairs(seed: int) -> None:
    rng = np.random.default_rng([41, seed])
    assert_tiling(PriorityCoupling(*adversarial_pair(rng, 60), int(rng.integers(1, 65))))


@pytest.mark.parametrize("num_drafts", [1, 2, 8, 64])
def test_so_do_those_of_a_large_vocabulary(num_drafts: int) -> None:
    assert_tiling(PriorityCoupling(*llm_shaped_pair(np.random.default_rng(42), 5000), num_drafts))


def displaced(coupling: PriorityCoupling, reference: RationalTiling) -> float:
    """The length of the points that the two tilings give to different tokens."""
    found = upwards(coupling)
    ends = np.cumsum([length for _, length, _ in found])
    other_ends = np.array([float(interval.end) for interval in reference.intervals])
    cuts = np.unique(np.concatenate(([0.0], ends, other_ends)))
    middles = 0.5 * (cuts[1:] + cuts[:-1])
    ours = np.array([token for *_, token in found])[np.minimum(np.searchsorted(ends, middles), len(found) - 1)]
    theirs = np.array([interval.token for interval in reference.intervals])
    theirs = theirs[np.minimum(np.searchsorted(other_ends, middles), len(theirs) - 1)]
    return float(np.diff(cuts)[ours != theirs].sum())


@pytest.mark.parametrize("num_drafts", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(12))
def test_the_compiled_tiling_is_the_rational_one(seed: int, num_drafts: int) -> None:
    rng = np.random.default_rng([43, seed])
    size = int(rng.integers(2, 9))
    draft, target = dirichlet(size, 1.0, rng), dirichlet(size, 1.0, rng)
    coupling = PriorityCoupling(draft, target, num_drafts)
    reference = tiling_by_fractions(rationals(coupling.draft), rationals(coupling.target), num_drafts)
    assert displaced(coupling, reference) <= DISPLACED
    assert np.abs(coupling.rates - np.array([float(rate) for rate in reference.rates])).max() <= 1e-14


def test_a_stretch_may_step_over_what_was_taken_before() -> None:
    """By hand, k = 2. Token 0 wants mass 0.1 on length 0.2: s = 0.25 in the middle, [0.15, 0.35].

    Token 1 wants 0.24 on 0.4. On [0.35, 0.75] it would have 0.44: it steps over token 0, and is on [x, 0.15] and
    [0.35, 0.6 + x] where 0.0225 - x^2 + (0.6 + x)^2 - 0.1225 = 0.24, so 0.36 + 1.2 x = 0.34 and x < 0: the lowest
    stretch has mass 0.26 already. It is thinned to 0.24/0.26, and token 2 has the rest, [0.6, 1] with mass 0.64.
    """
    coupling = PriorityCoupling([0.2, 0.4, 0.4], [0.1, 0.24, 0.66], 2)
    assert [token for *_, token in upwards(coupling)] == [1, 0, 1, 2]
    np.testing.assert_allclose([start for start, *_ in upwards(coupling)], [0.0, 0.15, 0.35, 0.6], atol=1e-15)
    np.testing.assert_allclose(coupling.thinning, [1.0, 0.24 / 0.26, 1.0], atol=1e-14)
    np.testing.assert_allclose(coupling.rates, [0.1, 0.24, 0.64], atol=1e-15)
    np.testing.assert_allclose(coupling.residual, [0.0, 0.0, 1.0], atol=1e-13)


@pytest.mark.parametrize("num_drafts", [2, 3, 8])
def test_a_thinned_token_leaves_no_free_space_below_it(num_drafts: int) -> None:
    """Step 1 of the proof of optimality: what lies at or below a thinned token belongs to tokens of no larger q/p."""
    for seed in range(40):
        rng = np.random.default_rng([44, seed])
        coupling = PriorityCoupling(dirichlet(30, 0.5, rng), dirichlet(30, 0.5, rng), num_drafts)
        ratio = coupling.target / coupling.draft
        thinned = np.flatnonzero(coupling.thinning < 1 - 1e-9)
        for token in thinned:
            below = coupling.draft[ratio <= ratio[token]].sum()
            mine = coupling.intervals.tokens == token
            top = (coupling.intervals.starts + coupling.intervals.lengths)[mine].max()
            assert top == pytest.approx(below, abs=1e-12)


@pytest.mark.parametrize("num_drafts", [2, 3, 8])
def test_once_a_token_is_held_down_all_later_ones_are(num_drafts: int) -> None:
    """Step 2: r < q at some drafted token and, in the order of q/p, at all that follow; no thinned one among them."""
    for seed in range(40):
        rng = np.random.default_rng([45, seed])
        coupling = PriorityCoupling(dirichlet(30, 0.5, rng), dirichlet(30, 0.5, rng), num_drafts)
        order = np.argsort(coupling.target / coupling.draft)
        short = (coupling.target - coupling.rates > 1e-9)[order]
        excess = (coupling.thinning < 1 - 1e-9)[order]
        if short.any():
            first = int(np.argmax(short))
            assert short[first:].sum() >= short[first:].size - 1
            assert not excess[first:].any()


def in_order(tiling: RationalTiling, draft: list[Fraction], target: list[Fraction]) -> list[list[RationalInterval]]:
    """The sets of the drafted tokens, in the order of placing."""
    drafted = [token for token in range(len(draft)) if draft[token] > 0]
    drafted.sort(key=lambda token: target[token] / draft[token])
    return [[interval for interval in tiling.intervals if interval.token == token] for token in drafted]


def mass(intervals: list[RationalInterval], num_drafts: int) -> Fraction:
    return sum((each.end**num_drafts - each.start**num_drafts for each in intervals), Fraction(0))


@pytest.mark.parametrize("num_drafts", [2, 3, 5])
def test_in_rational_numbers_a_token_ends_above_all_before_it_unless_held_down(num_drafts: int) -> None:
    """Lemma 9. The reference knows nothing of a stack: it looks through all free space for each token."""
    inside = 0
    for seed in range(20):
        rng = np.random.default_rng([49, seed])
        draft, target = (rationals(dirichlet(7, 1.0, rng)) for _ in range(2))
        reached = Fraction(0)
        for owned in in_order(tiling_by_fractions(draft, target, num_drafts), draft, target):
            if mass(owned, num_drafts) < target[owned[0].token] - num_drafts * HALVED:
                continue
            assert owned[-1].end >= reached
            inside += 0 < reached < owned[-1].end
            reached = owned[-1].end
    assert inside > 40


@pytest.mark.parametrize("num_drafts", [2, 3, 5])
def test_in_rational_numbers_each_token_is_thinned_held_down_or_has_what_it_wants(num_drafts: int) -> None:
    """Lemma 5: the mass is q, or more on the lowest stretch of what was free, or less on the highest."""
    cases = [0, 0, 0]
    for seed in range(20):
        rng = np.random.default_rng([50, seed])
        draft, target = (rationals(dirichlet(7, 1.0, rng)) for _ in range(2))
        taken: list[RationalInterval] = []
        for owned in in_order(tiling_by_fractions(draft, target, num_drafts), draft, target):
            excess = mass(owned, num_drafts) - target[owned[0].token]
            taken += owned
            low, high = owned[0].start, owned[-1].end
            if excess > 0:
                assert sum(each.end - each.start for each in taken if each.end <= high) == high
                cases[0] += 1
            elif excess < -num_drafts * HALVED:
                assert sum(each.end - each.start for each in taken if each.start >= low) == 1 - low
                cases[1] += 1
            else:
                cases[2] += 1
    assert min(cases) >= 5


def test_a_stretch_does_not_run_past_the_top() -> None:
    """By hand, k = 2. Token 0 is thinned on [0, 0.5]; tokens 1 and 2 are on [0.745, 0.755] and [0.795, 0.805].

    Token 3 wants more than even its highest stretch has: without [0.755, 0.795] below it would end above 1. It takes
    [0.805, 1], that gap, and the highest 0.065 of the next one; token 4 has the rest. What was placed stays in place.
    """
    coupling = PriorityCoupling([0.5, 0.01, 0.01, 0.3, 0.18], [0.049, 0.015, 0.016, 0.56, 0.36], 2)
    assert [token for *_, token in upwards(coupling)] == [0, 4, 3, 1, 3, 2, 3]
    np.testing.assert_allclose(coupling.rates[:3], coupling.target[:3], rtol=1e-12)
    np.testing.assert_allclose([start for start, *_ in upwards(coupling)][3:6], [0.745, 0.755, 0.795], rtol=1e-12)


def test_nor_does_one_that_is_so_short_that_a_series_finds_its_cut() -> None:
    """By hand, k = 2, in the highest thousandth. Token 1 is on [-0.205, -0.195], in thousandths from the top.

    Token 2, of length 0.3, would step over 0.1016 and end above 1: held down, it has the highest 0.3 but for token 1.
    """
    part = 1e-3
    draft = part * np.array([1 / part - 0.5, 0.01, 0.3, 0.19])
    target = 2.0 * draft * (1.0 - part * np.array([0.0, 0.2, 0.15, 0.1]))
    target[0] = 1.0 - target[1:].sum()
    coupling = PriorityCoupling(draft, target, 2)
    assert [token for *_, token in upwards(coupling)] == [0, 3, 2, 1, 2]
    starts = 1.0 - part * np.array([0.5, 0.31, 0.205, 0.195])
    np.testing.assert_allclose([start for start, *_ in upwards(coupling)][1:], starts, rtol=0, atol=1e-15)
    np.testing.assert_allclose(coupling.rates[1], coupling.target[1], rtol=1e-12)


def test_rows_longer_than_a_chunk_are_tiled_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(49)
    rows = dirichlet(6, 1.0, rng, 3), dirichlet(6, 1.0, rng, 3)
    whole = PriorityCoupling(*rows, 2)
    monkeypatch.setattr("specproof.theory.verifiers.priority.coupling._CHUNK", 4)
    chunked = PriorityCoupling(*rows, 2)
    assert np.array_equal(chunked.intervals.offsets, whole.intervals.offsets)
    assert np.array_equal(chunked.first_interval, whole.first_interval)
    assert np.array_equal(chunked.rates, whole.rates)
