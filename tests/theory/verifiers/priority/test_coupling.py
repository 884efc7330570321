"""The law of the coupling: lossless whatever happens, optimal to rounding, by routes that share no formula."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import DEGENERATE, Pair, rough_pairs, with_degenerate
from specproof.simulations.claims.priority.hard_pairs import adversarial_pair, llm_shaped_pair, spread_pair
from specproof.theory.distribution import dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.independent.tiling_by_fractions import tiling_by_fractions
from specproof.theory.transport import certify, optimal_acceptance, solve_membership_lp
from specproof.theory.verifiers.priority import PriorityCoupling
from specproof.theory.verifiers.priority.tiling import tile_rows
from specproof.theory.verifiers.single import maximal_coupling

ANYTHING = 1e-9
"""Error in L1 on whatever passes the door; what is seen is below 2e-14."""


def assert_lossless_and_optimal(draft: np.ndarray, target: np.ndarray, num_drafts: int, tolerance: float) -> None:
    coupling = PriorityCoupling(draft, target, num_drafts)
    law = coupling.law()
    assert np.abs(law.output - coupling.target).sum() <= tolerance
    assert np.abs(law.accepted - coupling.rates).sum() <= tolerance
    assert abs(float(coupling.acceptance) - float(optimal_acceptance(draft, target, num_drafts))) <= tolerance
    assert np.all((coupling.rates >= 0) & (coupling.rates <= coupling.target))
    assert np.all((coupling.thinning >= 0) & (coupling.thinning <= 1))
    assert np.all(coupling.rates[coupling.draft == 0] == 0)
    assert np.all(coupling.thinning[coupling.target == 0] == 0)


@given(pair=rough_pairs(largest=12), num_drafts=st.integers(1, 64))
@with_degenerate(num_drafts=1)
@with_degenerate(num_drafts=3)
@with_degenerate(num_drafts=64)
def test_lossless_and_optimal(pair: Pair, num_drafts: int) -> None:
    assert_lossless_and_optimal(*pair, num_drafts, 1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_lossless_and_optimal_on_hard_pairs(seed: int) -> None:
    rng = np.random.default_rng([51, seed])
    for _ in range(30):
        assert_lossless_and_optimal(*adversarial_pair(rng, 60), int(rng.integers(1, 65)), ANYTHING)


@pytest.mark.parametrize("num_drafts", [10**6, 10**8])
def test_beyond_any_use_the_law_is_off_by_k_eps_at_most(num_drafts: int) -> None:
    rng = np.random.default_rng([61, num_drafts])
    for _ in range(20):
        coupling = PriorityCoupling(*(dirichlet(20, 0.5, rng) for _ in range(2)), num_drafts)
        assert coupling.law().is_lossless(coupling.target, tolerance=num_drafts * 2.0**-53)


@pytest.mark.parametrize("num_drafts", [100, 158, 200, 1000, 10_000])
def test_lossless_and_optimal_for_very_many_drafts(num_drafts: int) -> None:
    rng = np.random.default_rng([60, num_drafts])
    for _ in range(200):
        assert_lossless_and_optimal(*spread_pair(rng, num_drafts), num_drafts, 1e-11)


@pytest.mark.parametrize(
    ("draft", "target", "num_drafts"),
    [
        ([0.9, 0.1], [0.01, 0.99], 200),
        ([0.5, 0.5], [0.25, 0.75], 400),
        ([0.5, 0.5], [0.25, 0.75], 10_000),
        ([0.9999, 1 - 0.9999], [0.9843233875355283, 1 - 0.9843233875355283], 158),
    ],
)
def test_a_stretch_far_below_where_newton_starts(draft: list[float], target: list[float], num_drafts: int) -> None:
    """Newton alone comes down by a part 1/k each step: 64 of them did not reach these."""
    assert_lossless_and_optimal(np.array(draft), np.array(target), num_drafts, 1e-12)


@pytest.mark.parametrize("num_drafts", [1, 2, 8, 64])
def test_lossless_and_optimal_at_vocabulary_size(num_drafts: int) -> None:
    draft, target = llm_shaped_pair(np.random.default_rng(52), 20_000)
    assert_lossless_and_optimal(draft, target, num_drafts, 1e-12)


@pytest.mark.parametrize("num_drafts", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_law_by_listing_every_draft_tuple(seed: int, num_drafts: int) -> None:
    """Exactly: of the k drafts' intervals the highest wins; within one interval it is a matter of symmetry."""
    rng = np.random.default_rng([53, seed])
    coupling = PriorityCoupling(dirichlet(4, 0.7, rng), dirichlet(4, 0.7, rng), num_drafts)
    found = coupling.intervals
    lengths = [Fraction(float(length)) for length in found.lengths]
    won = [Fraction(0)] * 4
    for drawn in product(range(len(lengths)), repeat=num_drafts):
        highest = max(drawn, key=lambda entry: found.starts[entry])
        won[found.tokens[highest]] += prod(lengths[entry] for entry in drawn)
    exact = np.array([float(mass) for mass in won]) * coupling.thinning
    np.testing.assert_allclose(coupling.law().accepted, exact, rtol=0, atol=1e-15)
    np.testing.assert_allclose(coupling.rates, exact, rtol=0, atol=1e-15)


@pytest.mark.parametrize("num_drafts", [1, 2, 4])
@pytest.mark.parametrize("seed", range(6))
def test_the_rational_reference_is_lossless_and_optimal(seed: int, num_drafts: int) -> None:
    """The reference bisects 60 times for each token: it may miss the optimum by that, and not exceed it."""
    rng = np.random.default_rng([54, seed])
    size = int(rng.integers(1, 6))
    proof = certify(dirichlet(size, 0.5, rng), dirichlet(size, 0.5, rng), num_drafts)
    draft, target = ([Fraction(weight, sum(weights)) for weight in weights] for weights in (proof.draft, proof.target))
    tiling = tiling_by_fractions(draft, target, num_drafts)
    missed = proof.acceptance - sum(tiling.rates)
    assert 0 <= missed <= size * num_drafts * Fraction(2) ** -60
    assert all(0 <= rate <= weight for rate, weight in zip(tiling.rates, target, strict=True))


@pytest.mark.parametrize("seed", range(6))
def test_linear_program_and_certificate(seed: int) -> None:
    rng = np.random.default_rng([55, seed])
    size, num_drafts = int(rng.integers(2, 7)), int(rng.integers(1, 4))
    draft, target = dirichlet(size, 0.7, rng), dirichlet(size, 0.7, rng)
    found = float(PriorityCoupling(draft, target, num_drafts).acceptance)
    assert found == pytest.approx(solve_membership_lp(draft, target, num_drafts).acceptance, abs=1e-9)
    assert found == pytest.approx(float(certify(draft, target, num_drafts).acceptance), abs=1e-14)


@pytest.mark.parametrize("delta", [1e-3, 1e-6, 1e-12])
@pytest.mark.parametrize("num_drafts", [2, 4, 16])
def test_an_order_wrong_by_delta_costs_delta_at_most(num_drafts: int, delta: float) -> None:
    """Many near-ties, sorted by ratios that err by delta/3 either way."""
    worst = 0.0
    for seed in range(60):
        rng = np.random.default_rng([66, seed])
        draft = dirichlet(40, 0.5, rng)[np.newaxis]
        target = draft * rng.choice([0.3, 1.0, 2.5], 40) * (1 + 0.3 * delta * rng.uniform(-1, 1, 40))
        target /= target.sum()
        order = np.argsort(target / draft * (1 + delta / 3 * rng.uniform(-1, 1, 40)), axis=-1)
        won = tile_rows(draft, target, order, num_drafts).won
        lost = float(optimal_acceptance(draft[0], target[0], num_drafts)) - np.minimum(won, target).sum()
        worst = max(worst, lost)
    assert worst <= delta + 1e-13


@given(pair=rough_pairs())
@with_degenerate()
def test_one_draft_is_maximal_coupling(pair: Pair) -> None:
    coupling, known = PriorityCoupling(*pair, 1), maximal_coupling(*pair)
    assert float(coupling.acceptance) == pytest.approx(float(known.acceptance), abs=1e-15)
    np.testing.assert_allclose(coupling.rates, known.accepted, rtol=0, atol=1e-15)
    np.testing.assert_allclose(coupling.law().output, known.output, rtol=0, atol=1e-15)


def test_equal_laws_accept_everything() -> None:
    row = np.array([0.25, 0.25, 0.5])
    coupling = PriorityCoupling(row, row, 4)
    assert coupling.acceptance == 1.0
    assert np.abs(coupling.rates - row).max() <= 1e-15


def test_disjoint_supports_accept_nothing() -> None:
    coupling = PriorityCoupling([0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.25, 0.75], 8)
    assert coupling.acceptance == 0.0
    assert coupling.residual.tolist() == [0.0, 0.0, 0.25, 0.75]
    assert coupling.law().output.tolist() == [0.0, 0.0, 0.25, 0.75]


def test_a_tiny_optimum_keeps_its_digits() -> None:
    assert float(PriorityCoupling([1.0, 0.0], [1e-30, 1.0], 4).acceptance) == pytest.approx(1e-30, rel=1e-14)


@pytest.mark.parametrize("num_drafts", [1, 3])
def test_rows_are_pairs_of_their_own(num_drafts: int) -> None:
    rng = np.random.default_rng(56)
    draft, target = dirichlet(7, 0.5, rng, (3, 1)), dirichlet(7, 0.5, rng, 4)
    together = PriorityCoupling(draft, target, num_drafts)
    law, carried = together.law(), together.agreement()
    assert together.acceptance.shape == (3, 4)
    assert carried.shape == (3, 4, 7, num_drafts)
    for row, index in enumerate(np.ndindex(3, 4)):
        alone = PriorityCoupling(draft[index[0], 0], target[index[1]], num_drafts)
        entries = slice(*together.intervals.offsets[row : row + 2])
        assert np.array_equal(together.intervals.starts[entries], alone.intervals.starts)
        assert np.array_equal(together.intervals.tokens[entries], alone.intervals.tokens)
        for name in ("rates", "thinning", "residual", "acceptance"):
            assert np.array_equal(getattr(together, name)[index], getattr(alone, name))
        assert np.array_equal(law.output[index], alone.law().output)
        assert np.array_equal(carried[index], alone.agreement())


def test_rows_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(57)
    draft, target = dirichlet(5, 0.5, rng, 9) * [0.0, 1.0, 1.0, 1.0, 1.0], dirichlet(5, 0.5, rng, 9)
    draft /= draft.sum(axis=-1, keepdims=True)
    whole = PriorityCoupling(draft, target, 3)
    monkeypatch.setattr("specproof.theory.verifiers.priority.coupling._CHUNK", 10)  # two rows at a time
    parts = PriorityCoupling(draft, target, 3)
    for name in ("starts", "lengths", "tokens", "offsets"):
        assert np.array_equal(getattr(whole.intervals, name), getattr(parts.intervals, name))
    assert np.array_equal(whole.first_interval, parts.first_interval)
    assert np.array_equal(whole.rates, parts.rates)


def test_no_rows_at_all() -> None:
    coupling = PriorityCoupling(np.empty((0, 3)), np.empty((0, 3)), 2)
    assert coupling.acceptance.shape == (0,)
    assert coupling.law().output.shape == (0, 3)


@given(pair=rough_pairs(largest=8), num_drafts=st.integers(1, 9))
@with_degenerate(num_drafts=4)
def test_numbers_of_carriers_add_up_to_the_rates(pair: Pair, num_drafts: int) -> None:
    coupling = PriorityCoupling(*pair, num_drafts)
    np.testing.assert_allclose(coupling.agreement().sum(axis=-1), coupling.rates, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("num_drafts", [1, 2, 4])
def test_numbers_of_carriers_by_listing_every_draft_tuple(num_drafts: int) -> None:
    rng = np.random.default_rng(58)
    coupling = PriorityCoupling(dirichlet(4, 0.7, rng), dirichlet(4, 0.7, rng), num_drafts)
    found = coupling.intervals
    expected = np.zeros((4, num_drafts))
    for drawn in product(range(found.lengths.size), repeat=num_drafts):
        token = found.tokens[max(drawn, key=lambda entry: found.starts[entry])]
        carriers = sum(found.tokens[entry] == token for entry in drawn)
        expected[token, carriers - 1] += prod(found.lengths[entry] for entry in drawn) * coupling.thinning[token]
    np.testing.assert_allclose(coupling.agreement(), expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("num_drafts", [1, 2, 7, 30, 64])
def test_numbers_of_carriers_in_rational_numbers(num_drafts: int) -> None:
    """Relatively, however small."""
    rng = np.random.default_rng([64, num_drafts])
    coupling = PriorityCoupling(dirichlet(5, 0.5, rng), dirichlet(5, 0.5, rng), num_drafts)
    found = coupling.intervals
    expected = [[Fraction(0)] * num_drafts for _ in range(5)]
    below, own = Fraction(0), [Fraction(0)] * 5
    for entry in np.argsort(found.starts):
        length, token = Fraction(found.lengths[entry]), found.tokens[entry]
        for carried in range(1, num_drafts + 1):
            grown = (own[token] + length) ** carried - own[token] ** carried
            expected[token][carried - 1] += (
                comb(num_drafts, carried) * grown * (below - own[token]) ** (num_drafts - carried)
            )
        below, own[token] = below + length, own[token] + length
    exact = np.array([[float(mass) for mass in row] for row in expected]) * coupling.thinning[:, np.newaxis]
    np.testing.assert_allclose(coupling.agreement(), exact, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("num_drafts", [1000, 1030, 1100, 10_000])
def test_numbers_of_carriers_past_what_a_float_holds(num_drafts: int) -> None:
    """The binomials pass 1e308 from k = 1030 on."""
    rng = np.random.default_rng([65, num_drafts])
    for _ in range(5):
        coupling = PriorityCoupling(*spread_pair(rng, num_drafts), num_drafts)
        accepted = coupling.law().accepted
        np.testing.assert_allclose(coupling.agreement().sum(axis=-1), accepted, rtol=0, atol=1e-11)


def test_arrays_of_any_layout_and_precision() -> None:
    rng = np.random.default_rng(59)
    draft, target = dirichlet(6, 1.0, rng), dirichlet(6, 1.0, rng)
    known = PriorityCoupling(draft, target, 3)
    strided = PriorityCoupling(np.repeat(draft, 2)[::2], np.asfortranarray(target[::-1])[::-1], 3)
    assert np.array_equal(strided.rates, known.rates)
    coarse = PriorityCoupling(draft.astype(np.float32), target.astype(np.float32), 3)
    assert np.abs(coarse.rates - known.rates).max() <= 1e-6
    assert coarse.law().is_lossless(target.astype(np.float32))


@pytest.mark.parametrize(
    ("draft", "target", "num_drafts", "message"),
    [
        ([0.5, 0.5], [0.5, 0.5], 0, "num_drafts is 0"),
        ([0.5, 0.5], [0.5, 0.5], 1.5, "num_drafts is 1.5"),
        ([0.5, 0.6], [0.5, 0.5], 2, "draft sums to 1.1"),
        ([0.5, 0.5], [1.5, -0.5], 2, r"target\[1\] = -0.5"),
        ([0.5, np.nan], [0.5, 0.5], 2, r"draft\[1\] = nan"),
        ([0.5, 0.5], [0.5, 0.25, 0.25], 2, "draft has 2 tokens and target has 3"),
        ([[0.5, 0.5]] * 2, [[0.5, 0.5]] * 3, 2, "do not broadcast"),
    ],
)
def test_bad_laws(draft: list[float], target: list[float], num_drafts: int, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        PriorityCoupling(draft, target, num_drafts)


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("num_drafts", [1, 2, 64])
def test_degenerate_pairs_have_a_residual_where_they_need_one(name: str, num_drafts: int) -> None:
    coupling = PriorityCoupling(*DEGENERATE[name], num_drafts)
    assert np.all(coupling.residual[coupling.target == 0] == 0)
    if coupling.acceptance < 1 - 1e-12:
        assert coupling.residual.sum() == pytest.approx(1.0, abs=1e-12)
