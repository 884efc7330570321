"""The priority sampler with given uniforms: a slow route, forced branches, the exact law, and what it refuses.

Statistical tests: level 1e-9 each, seeds fixed; each asserts the deviation that it would have seen.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from specproof.conformance.strategies import DEGENERATE
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.priority import PrioritySampler, _choose
from specproof.simulations.samplers.priority_winner import PrioritySets, win
from specproof.simulations.statistics import check_frequency, check_law
from specproof.theory.distribution import dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers.priority import PriorityCoupling
from specproof.theory.verifiers.priority.tiling import tile_rows

LEVEL, TRIALS, RESOLUTION = 1e-9, 400_000, 0.007
ALMOST_ONE = 1 - 2**-53


def slowly(coupling: PriorityCoupling, drafts: list[int], uniforms: list[float]) -> tuple[int, int]:
    """One trial, token by token and interval by interval."""
    found, priorities = coupling.intervals, []
    for token, uniform in zip(drafts, uniforms[:-1], strict=True):
        point = uniform * coupling.draft[token]
        mine = np.flatnonzero(found.tokens == token)
        for entry in mine:
            if point < found.lengths[entry] or entry == mine[-1]:
                break
            point -= found.lengths[entry]
        priorities.append(found.starts[entry] + min(point, found.lengths[entry]))
    winner = int(np.argmax(priorities))
    kept = coupling.thinning[drafts[winner]]
    if uniforms[-1] < kept:
        return drafts[winner], winner
    left = coupling.target - coupling.rates
    weights = left if np.any(left > 0) else coupling.target
    return int(invert(weights, np.array((uniforms[-1] - kept) / (1 - kept)))), -1


@pytest.mark.parametrize("num_drafts", [1, 2, 5])
def test_the_compiled_rule_is_the_slow_one(num_drafts: int) -> None:
    rng = np.random.default_rng(61)
    draft, target = dirichlet(9, 0.4, rng), dirichlet(9, 0.4, rng)
    coupling = PriorityCoupling(draft, target, num_drafts)
    drafts, uniforms = invert(draft, rng.random((2000, num_drafts))), rng.random((2000, num_drafts + 1))
    tokens, accepted = PrioritySampler(coupling).choose(drafts, uniforms)
    expected = [slowly(coupling, *trial) for trial in zip(drafts.tolist(), uniforms.tolist(), strict=True)]
    assert list(zip(tokens.tolist(), accepted.tolist(), strict=True)) == expected
    assert set(accepted.tolist()) == {-1, *range(num_drafts)}


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("num_drafts", [1, 3])
def test_no_uniforms_emit_a_token_of_zero_target(name: str, num_drafts: int) -> None:
    coupling = PriorityCoupling(*DEGENERATE[name], num_drafts)
    edges = np.array([0.0, 2**-53, 0.5, ALMOST_ONE])
    uniforms = np.stack(np.meshgrid(*[edges] * (num_drafts + 1)), axis=-1).reshape(-1, num_drafts + 1)
    for token in np.flatnonzero(coupling.draft > 0):
        tokens, accepted = PrioritySampler(coupling).choose(np.full((len(uniforms), num_drafts), token), uniforms)
        assert np.all(coupling.target[tokens] > 0)
        assert np.all(tokens[accepted >= 0] == token)


def test_a_point_at_the_end_of_an_interval_lies_where_the_next_of_its_set_begins() -> None:
    """Set 0 is [1/2, 3/4) and then [0, 1/4): its middle is 0, and not 3/4, which would win over 1/4."""
    quarters = np.full(4, 0.25)
    starts, owners = np.array([0.5, 0.0, 0.25, 0.75]), np.array([0, 0, 1, 1])
    sets = PrioritySets(np.full((1, 2), 0.5), np.array([[0, 2]]), starts, quarters, owners, np.array([0, 4]))
    assert win(sets, 0, np.array([0, 1]), np.array([0.5, 0.0, 0.5])) == 1


def test_the_uniform_that_fails_inverts_the_residual() -> None:
    """p = (1/2, 1/2, 0), q = (1/8, 3/8, 1/2), k = 1: theta = (1/4, 3/4), and the residual is token 2 alone."""
    coupling = PriorityCoupling([0.5, 0.5, 0.0], [0.125, 0.375, 0.5], 1)
    assert coupling.thinning.tolist() == [0.25, 0.75, 1.0]
    uniforms = np.array([[0.5, 0.0], [0.5, np.nextafter(0.25, 0)], [0.5, 0.25], [0.5, ALMOST_ONE]])
    tokens, accepted = PrioritySampler(coupling).choose(np.zeros((4, 1), dtype=int), uniforms)
    assert tokens.tolist() == [0, 0, 2, 2]
    assert accepted.tolist() == [0, 0, -1, -1]


def test_the_uniform_that_fails_is_uniform_again() -> None:
    """Of a grid of numbers those that fail share the residual in its proportions, to the grid's width."""
    coupling = PriorityCoupling([1.0, 0.0, 0.0, 0.0], [0.25, 0.375, 0.25, 0.125], 1)
    grid = (np.arange(4096) + 0.5) / 4096
    tokens, _ = PrioritySampler(coupling).choose(np.zeros((4096, 1), dtype=int), np.stack([grid, grid], axis=-1))
    assert np.bincount(tokens).tolist() == [1024, 1536, 1024, 512]


@pytest.mark.parametrize("num_drafts", [1, 2, 8])
@pytest.mark.parametrize("seed", range(3))
def test_selections_have_the_exact_law(seed: int, num_drafts: int) -> None:
    rng = np.random.default_rng([62, seed])
    draft, target = dirichlet(8, 0.6, rng), dirichlet(8, 0.6, rng)
    coupling = PriorityCoupling(draft, target, num_drafts)
    drafts = invert(draft, rng.random((TRIALS, num_drafts)))
    tokens, accepted = PrioritySampler(coupling).select(drafts, rng)
    check = check_law(tokens, target, LEVEL)
    assert check.detectable <= RESOLUTION
    assert not check.is_refuted
    kept = accepted >= 0
    assert np.array_equal(drafts[kept, accepted[kept]], tokens[kept])
    assert not check_frequency(int(kept.sum()), TRIALS, float(coupling.acceptance), LEVEL).is_refuted
    joint = np.append(coupling.agreement().reshape(-1), max(1.0 - float(coupling.acceptance), 0.0))
    carriers = (drafts == tokens[:, np.newaxis]).sum(axis=-1)
    cells = np.where(kept, tokens * num_drafts + carriers - 1, joint.size - 1)
    assert not check_law(cells, joint, LEVEL).is_refuted


def test_rows_take_their_own_drafts_and_neighbours_share_no_interval() -> None:
    """The last token of a row may be the first of the next, and the largest of uniforms must not reach into it."""
    rng = np.random.default_rng(63)
    draft, target = dirichlet(5, 0.5, rng, (4, 3)), dirichlet(5, 0.5, rng, (4, 3))
    together = PriorityCoupling(draft, target, 2)
    drafts, uniforms = rng.integers(0, 5, (6, 4, 3, 2)), rng.random((6, 4, 3, 3))
    uniforms[0, ..., :2] = ALMOST_ONE
    tokens, accepted = PrioritySampler(together).choose(drafts, uniforms)
    assert tokens.shape == (6, 4, 3)
    for index in np.ndindex(4, 3):
        alone = PrioritySampler(PriorityCoupling(draft[index], target[index], 2)).choose(
            drafts[:, *index], uniforms[:, *index]
        )
        assert np.array_equal(tokens[:, *index], alone[0])
        assert np.array_equal(accepted[:, *index], alone[1])


PAIR = PriorityCoupling([0.5, 0.5, 0.0], [0.25, 0.5, 0.25], 2)


@pytest.mark.parametrize(
    ("drafts", "message"),
    [
        ([[0, 1], [3, 0]], "drafts[1, 0] = 3 is outside the vocabulary: tokens are 0..2"),
        ([[0, 1], [0, -1]], "drafts[1, 1] = -1 is outside the vocabulary"),
        ([[0, 1], [0, 2]], "drafts[1, 1] = 2 has draft probability 0"),
        ([0, 1, 1], "drafts has shape (3,)"),
        (0, "drafts has shape ()"),
        ([0.0, 1.0], "dtype float64"),
        ([[0, 1], [0]], "drafts is not an array of integers"),
        (np.array([[0, 2**63 + 5]], np.uint64), "drafts[0, 1] = 9223372036854775813 is past the largest int64"),
    ],
)
def test_bad_drafts(drafts: list[int], message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        PrioritySampler(PAIR).select(drafts, np.random.default_rng(0))


def test_bad_shapes() -> None:
    with pytest.raises(InvalidInput, match=re.escape("uniforms has shape (2, 2): drafts of shape (2, 2) need (2, 3)")):
        PrioritySampler(PAIR).choose(np.zeros((2, 2), dtype=int), np.zeros((2, 2)))
    rows = PriorityCoupling([[0.5, 0.5]] * 3, [[0.5, 0.5]] * 3, 2)
    with pytest.raises(InvalidInput, match="do not fit pairs of laws of leading shape"):
        PrioritySampler(rows).select(np.zeros((2, 2), dtype=int), np.random.default_rng(0))


@pytest.mark.parametrize("value", [np.nan, 1.0, -0.25, np.inf])
def test_bad_uniforms(value: float) -> None:
    uniforms = np.full((2, 3), 0.5)
    uniforms[1, 2] = value
    with pytest.raises(InvalidInput, match=re.escape(f"uniforms[1, 2] = {value}: each must lie in [0, 1)")):
        PrioritySampler(PAIR).choose(np.zeros((2, 2), dtype=int), uniforms)


@pytest.mark.parametrize("uniforms", ["text", [["a"] * 3] * 2, np.full((2, 3), 0.5j), [[0.5] * 3, [0.5]], None])
def test_uniforms_that_are_no_numbers(uniforms: object) -> None:
    with pytest.raises(InvalidInput, match="uniforms is not an array of real numbers"):
        PrioritySampler(PAIR).choose(np.zeros((2, 2), dtype=int), uniforms)


def test_a_generator_is_needed_to_draw() -> None:
    with pytest.raises(InvalidInput, match="rng is None: it must be a NumPy Generator"):
        PrioritySampler(PAIR).select([0, 1], None)


def test_no_layout_compiles_the_loops_anew() -> None:
    rng = np.random.default_rng(66)
    draft, target = dirichlet(6, 1.0, rng, 4), dirichlet(6, 1.0, rng, 4)
    drafts, uniforms = rng.integers(0, 6, (8, 4, 3)), rng.random((8, 4, 4))
    expected = PrioritySampler(PriorityCoupling(draft, target, 3)).choose(drafts, uniforms)
    known = len(tile_rows.signatures), len(_choose.signatures)

    def frozen(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values, values.shape)

    def strided(values: np.ndarray) -> np.ndarray:
        return np.repeat(values, 2, axis=-1)[..., ::2]

    for layout in (np.asfortranarray, frozen, strided):
        coupling = PriorityCoupling(layout(draft), layout(target), 3)
        found = PrioritySampler(coupling).choose(layout(drafts), layout(uniforms))
        assert np.array_equal(found, expected)
    PrioritySampler(PriorityCoupling(draft[:, np.newaxis], target[0], 3)).choose(
        drafts[:, :, np.newaxis].astype(np.int16), uniforms[:, :, np.newaxis]
    )
    PrioritySampler(PriorityCoupling(draft[0], target[0], 3)).choose(frozen(drafts), frozen(uniforms))
    assert (len(tile_rows.signatures), len(_choose.signatures)) == known


def test_one_trial_and_none() -> None:
    token, accepted = PrioritySampler(PAIR).choose([0, 1], np.array([0.5, 0.5, 0.0]))
    assert (token.shape, accepted.shape) == ((), ())
    tokens, _ = PrioritySampler(PAIR).select(np.empty((0, 2), dtype=int), np.random.default_rng(0))
    assert tokens.shape == (0,)
