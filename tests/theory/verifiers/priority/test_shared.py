"""Sets that tokens of nearly equal ratio share: lossless, within the tolerance of the optimum, and proven to be so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from specproof import VERIFIERS, PriorityCoupling, agreement_at, optimal_acceptance
from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.simulations.claims.priority.hard_pairs import llm_shaped_pair
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.priority import PrioritySampler
from specproof.simulations.statistics import check_law
from specproof.theory.distribution import Array, as_pair, dirichlet, softmax
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers.priority import buckets as buckets_module
from specproof.theory.verifiers.priority import shared
from specproof.theory.verifiers.priority.buckets import Buckets, each_alone, make_buckets
from specproof.theory.verifiers.priority.shared import DEFAULT_TOLERANCE, carriers, least_cut, useful_tolerance

LEVEL, TRIALS, RESOLUTION = 1e-9, 200_000, 0.02
ROUNDING = 1e-12

BY_THREES = np.array([2.0, 1.0, 1.0, 3.0, 2.0, 2.0, 1.0]) / 12
NEAR = BY_THREES * np.array([0.6, 0.6000003, 0.5999997, 1.2, 1.2000002, 1.1999998, 0.6])
"""With BY_THREES for draft, two buckets at a tolerance of 1e-3, each of which is shared unevenly."""

ADVERSARIAL = {
    "one ratio": (np.full(64, 1 / 64), np.full(64, 1 / 64)),
    "steep head": (0.5 ** np.arange(1.0, 65.0), 0.5 ** np.arange(1.0, 65.0)[::-1]),
    "denormal": (np.array([1.0, 5e-324, 1e-310, 0.0]), np.array([5e-324, 1.0, 1e-310, 1e-300])),
    "disjoint": (np.repeat([1 / 32, 0.0], 32), np.repeat([0.0, 1 / 32], 32)),
    "ratios a unit apart": (np.full(64, 1 / 64), (1 + 2.0**-52 * np.arange(64)) / 64),
    "even ratios from 0 on": (np.full(64, 1 / 64), np.arange(64.0) / 2016),
    "one token": (np.ones(1), np.ones(1)),
}


@pytest.fixture(autouse=True, scope="module")
def _sets_are_shared_however_few_the_tokens() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "FEW", 0)
        yield


def holds(draft: Array, target: Array, num_drafts: int, tolerance: float) -> PriorityCoupling:
    """Check what is promised of one coupling."""
    coupling = PriorityCoupling(draft, target, num_drafts, tolerance)
    law, best = coupling.law(), float(optimal_acceptance(draft, target, num_drafts))
    assert law.is_lossless(target)
    assert coupling.rates.sum() <= best + ROUNDING
    assert best - coupling.acceptance <= coupling.gap + ROUNDING
    assert coupling.gap <= tolerance + ROUNDING
    np.testing.assert_allclose(law.accepted, coupling.rates, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(coupling.agreement().sum(axis=-1), coupling.rates, rtol=0, atol=ROUNDING)
    return coupling


@given(pair=rough_pairs(), num_drafts=st.integers(1, 6), tolerance=st.sampled_from([1e-12, 1e-6, 1e-5, 1e-3]))
@with_degenerate(num_drafts=4, tolerance=1e-3)
def test_lossless_and_within_the_tolerance(pair: Pair, num_drafts: int, tolerance: float) -> None:
    holds(*as_pair(*pair), num_drafts, tolerance)


@pytest.mark.parametrize("num_drafts", [1, 2, 7, 40])
@pytest.mark.parametrize("pair", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_adversarial_pairs(pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    for tolerance in (1e-9, 1e-3):
        holds(draft, target, num_drafts, tolerance)


def test_few_sets_are_cut_and_the_gap_is_what_is_stated() -> None:
    draft, target = as_pair(*llm_shaped_pair(np.random.default_rng(5), 30_000))
    for count in (2, 8):
        coupling, best = PriorityCoupling(draft, target, count, 1e-4), float(optimal_acceptance(draft, target, count))
        assert coupling.intervals.lengths.size < 0.2 * draft.size
        missing = best - coupling.acceptance
        assert 1e-7 < missing <= coupling.gap + ROUNDING
        assert coupling.gap <= min(1e-4, missing + 1e-6)


def test_without_tolerance_nothing_is_shared() -> None:
    draft, target = dirichlet(40, 0.5, np.random.default_rng(6), 2)
    exact, default = PriorityCoupling(draft, target, 3, 0.0), PriorityCoupling(draft, target, 3)
    assert np.array_equal(exact.intervals.starts, default.intervals.starts)
    assert np.array_equal(exact.set_length, exact.draft)
    assert exact.gap == 0.0


def test_the_bound_of_the_loss_holds() -> None:
    for row in range(20):
        draft, target = dirichlet(300, 1.0, np.random.default_rng(row), 2)
        for tolerance in (1e-5, 1e-3):
            buckets = make_buckets(draft, target, 4, tolerance)
            wanted = (buckets.target / buckets.draft)[buckets.of_token] * draft
            lost = np.maximum(wanted - np.minimum(target, 4 * draft), 0.0).sum()
            assert lost <= buckets.loss + ROUNDING
            assert buckets.loss <= tolerance
            assert buckets.draft.size < 300


def test_the_budget_shrinks_until_the_tolerance_is_kept() -> None:
    draft, target = as_pair(*llm_shaped_pair(np.random.default_rng(9), 20_000))
    counts = []
    for tolerance in (5e-5, 1e-5, 3e-6):
        buckets = make_buckets(draft, target, 8, tolerance)
        assert 0.1 * tolerance < buckets.loss <= tolerance
        counts.append(buckets.draft.size)
    assert counts[0] < counts[1] < counts[2] < draft.size


def test_a_first_budget_that_is_too_large_is_not_kept() -> None:
    """Ratios that lie evenly make buckets of three tokens, more than the first try reckons with."""
    draft, target = as_pair(np.full(2000, 1 / 2000), np.linspace(0, 2, 2000) / 2000)
    for tolerance in (2e-4, 2.8e-4, 4e-4):
        assert make_buckets(draft, target, 8, tolerance).loss <= tolerance


@pytest.mark.parametrize("seed", [2, 5])
def test_a_second_division_divides_no_bucket_less_than_the_first(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the first misses the tolerance by little: a bucket that lost nothing any more must not be made whole again.

    It would lose more than the first then, and a third division be needed.
    """
    rng = np.random.default_rng(seed)
    draft = softmax(2.5 * rng.normal(size=300))
    target = softmax(np.log(draft) + 0.7 * rng.normal(size=300))
    losses, held = [], buckets_module._held

    def noted(*arguments: Any) -> Any:
        found = held(*arguments)
        losses.append(found[0].loss)
        return found

    monkeypatch.setattr(buckets_module, "_held", noted)
    make_buckets(draft, target, 8, 1e-4)
    assert len(losses) == 2
    assert losses[1] <= 1e-4 < losses[0]


@pytest.mark.parametrize("pair", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_the_first_token_of_each_bucket_is_the_first_that_can_be_drafted(pair: Pair) -> None:
    draft, target = as_pair(*(np.append(0.0, law) for law in pair))
    for tolerance in (1e-30, 1e-12, 1e-3):
        buckets = make_buckets(draft, target, 4, tolerance)
        drafted = np.flatnonzero(draft)
        numbers, first = np.unique(buckets.of_token[drafted], return_index=True)
        assert buckets.first.tolist() == drafted[first].tolist()
        assert numbers.tolist() == list(range(buckets.draft.size))
        assert (buckets.of_token[draft == 0] == -1).all()


def test_the_least_cut_is_the_least_over_all_sets_of_buckets() -> None:
    rng = np.random.default_rng(10)
    for _ in range(20):
        draft, target = (law[np.argsort(pair[1] / pair[0])] for pair in [dirichlet(5, 1.0, rng, 2)] for law in pair)
        buckets = Buckets(np.arange(5, dtype=np.int32), np.arange(5), draft, target, 0.0)
        cuts = [
            1 + target[list(chosen)].sum() - draft[list(chosen)].sum() ** 3
            for size in range(6)
            for chosen in combinations(range(5), size)
        ]
        assert least_cut(buckets, 3) == pytest.approx(min(cuts), abs=1e-14)


def test_rows_are_done_one_by_one() -> None:
    rng = np.random.default_rng(7)
    draft, target = dirichlet(30, 0.5, rng, (2, 3)), dirichlet(30, 0.5, rng, 3)
    together = PriorityCoupling(draft, target, 3, 1e-3)
    assert together.gap.shape == (2, 3)
    for index in np.ndindex(2, 3):
        alone = PriorityCoupling(draft[index], target[index[1]], 3, 1e-3)
        assert np.array_equal(together.rates[index], alone.rates)
        assert np.array_equal(together.agreement()[index], alone.agreement())
        assert np.array_equal(together.law().accepted[index], alone.law().accepted)


def test_rows_that_share_one_set_each_keep_to_their_own() -> None:
    draft = np.array([0.0, 0.5, 0.5])
    together = PriorityCoupling(np.tile(draft, (2, 1)), draft, 3, 1e-3)
    assert together.first_interval.tolist() == [[-1, 0, 0], [-1, 1, 1]]
    alone = PriorityCoupling(draft, draft, 3, 1e-3).agreement()
    assert np.array_equal(together.agreement(), [alone, alone])


def test_carriers_of_a_shared_set_by_listing_every_tuple_of_buckets() -> None:
    """A winner's bucket is shared by the token's part of it: each draft of the bucket is the token with that chance."""
    draft, target = as_pair(BY_THREES, NEAR / NEAR.sum())
    coupling = PriorityCoupling(draft, target, 3, 1e-3)
    starts, lengths, owners = coupling.intervals.starts, coupling.intervals.lengths, coupling.intervals.tokens
    assert 1 < np.unique(owners).size < draft.size
    nodes, weights = np.polynomial.legendre.leggauss(3)
    found = np.zeros((draft.size, 3))
    for start, length, owner in zip(starts, lengths, owners, strict=True):
        members = np.flatnonzero(coupling.first_interval[0] == coupling.first_interval[0, owner])
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            point = start + length * node
            below = np.clip(point - starts, 0.0, lengths)
            inside = below[owners == owner].sum()
            for token, others in product(members, product([True, False], repeat=2)):
                own = inside * draft[token] / coupling.set_length[token]
                chance = np.prod([own if same else point - own for same in others])
                share = draft[token] / coupling.set_length[token]
                found[token, sum(others)] += 3 * length * weight * share * chance
    np.testing.assert_allclose(coupling.agreement(), found * coupling.thinning[:, np.newaxis], rtol=0, atol=1e-14)


def _joint_law_agrees(coupling: PriorityCoupling, agreement: Array) -> bool:
    rng = np.random.default_rng(8)
    drafts = invert(coupling.draft, rng.random((TRIALS, coupling.num_drafts)))
    tokens, accepted = PrioritySampler(coupling).select(drafts, rng)
    copies = (drafts == tokens[:, np.newaxis]).sum(axis=1)
    outcome = np.where(accepted >= 0, tokens * coupling.num_drafts + copies - 1, agreement.size)
    joint = np.append(agreement.reshape(-1), max(1.0 - float(coupling.acceptance), 0.0))
    check = check_law(outcome, joint / joint.sum(), LEVEL)
    assert check.detectable <= RESOLUTION
    return not check.is_refuted and not check_law(tokens, coupling.target, LEVEL).is_refuted


def test_the_sampler_draws_what_the_coupling_states() -> None:
    coupling = PriorityCoupling(BY_THREES, NEAR / NEAR.sum(), 5, 1e-3)
    assert np.unique(coupling.intervals.tokens).size < BY_THREES.size
    assert _joint_law_agrees(coupling, coupling.agreement())


def test_another_number_of_carriers_is_refuted() -> None:
    """The control of the test above: sets that are not shared make another law of the carriers."""
    coupling = PriorityCoupling(BY_THREES, NEAR / NEAR.sum(), 5, 1e-3)
    assert not _joint_law_agrees(coupling, PriorityCoupling(BY_THREES, NEAR / NEAR.sum(), 5).agreement())


@pytest.mark.parametrize("few", [0, 4096])
@given(pair=rough_pairs(), num_drafts=st.integers(1, 5))
@with_degenerate(num_drafts=4)
def test_at_tokens_it_is_a_lossless_law_near_the_optimum(few: int, pair: Pair, num_drafts: int) -> None:
    draft, target = (np.repeat(law[np.newaxis], law.size, axis=0) for law in as_pair(*pair))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "FEW", few)
        found = agreement_at(VERIFIERS["priority"], draft, target, np.arange(draft.shape[1]), num_drafts)
        last = PriorityCoupling(draft[0], target[0], num_drafts, DEFAULT_TOLERANCE).agreement()
    accepted = found.sum(axis=-1)
    assert found.min() >= 0.0
    assert (accepted <= target[0][:, np.newaxis] + ROUNDING).all()
    best = optimal_acceptance(draft[0], target[0], np.arange(1, num_drafts + 1))
    assert (np.abs(accepted.sum(axis=0) - best) <= DEFAULT_TOLERANCE + ROUNDING).all()
    np.testing.assert_allclose(found[:, -1], last, rtol=0, atol=ROUNDING)


def test_few_tokens_share_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "FEW", 5)
    halves = np.repeat([0.5, 1.5], 3)
    for vocabulary, sharing in ((5, False), (6, True)):
        draft, target = (law[:vocabulary] / law[:vocabulary].sum() for law in (np.ones(6), halves))
        coupling = PriorityCoupling(draft, target, 3, 1e-5)
        assert (coupling.set_length > 1.5 * draft).any() == sharing
        assert useful_tolerance(1e-5, vocabulary) == (1e-5 if sharing else 0.0)


def test_no_rows_share_nothing() -> None:
    assert PriorityCoupling(np.zeros((0, 2)), [0.5, 0.5], 2, 1e-5).gap.shape == (0,)


def test_each_token_alone_has_what_it_can_win() -> None:
    draft, target = np.array([0.25, 0.0, 0.5, 0.25, 0.0]), np.array([0.75, 0.25, 0.0, 0.0, 0.0])
    found = each_alone(draft, target, 2)
    assert found.of_token[[1, 4, 0]].tolist() == [-1, -1, 2]
    assert found.first[found.of_token[[0, 2, 3]]].tolist() == [0, 2, 3]
    assert (found.draft[2], found.target.tolist(), found.loss) == (0.25, [0.0, 0.0, 0.5], 0.0)


@pytest.mark.parametrize("tolerance", [-1e-9, 0.0011, np.nan, np.inf])
def test_tolerances_that_are_refused(tolerance: float) -> None:
    with pytest.raises(InvalidInput, match="tolerance is"):
        PriorityCoupling([0.5, 0.5], [0.5, 0.5], 2, tolerance)


def test_carriers_of_a_set_of_several_intervals_are_the_integral_that_is_stated() -> None:
    starts, lengths, share, num_drafts = np.array([0.7, 0.4, 0.1]), np.array([0.1, 0.2, 0.1]), 0.3, 4

    def density(height: float, carrying: int) -> float:
        own = share * float(np.clip(height - starts, 0.0, lengths).sum())
        ways = share * num_drafts * scipy.special.comb(num_drafts - 1, carrying - 1)
        return float(ways * own ** (carrying - 1) * (height - own) ** (num_drafts - carrying))

    intervals = list(zip(starts, starts + lengths, strict=True))
    expected = [
        sum(scipy.integrate.quad(density, *interval, args=(carrying,))[0] for interval in intervals)
        for carrying in range(1, num_drafts + 1)
    ]
    np.testing.assert_allclose(carriers(starts, lengths, share, num_drafts), expected, rtol=0, atol=1e-14)
