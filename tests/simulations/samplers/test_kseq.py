"""K-SEQ: the array form against a loop, the compiled form against the exact law.

Statistical tests: level 1e-8 each, 500,000 trials, deviations of 0.006 in any probability are seen with 0.99 (each
test asserts it). Seeds are fixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import one_trial
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import DEGENERATE, Pair, rough_pairs, with_degenerate
from specproof.simulations.samplers import single
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.kseq import residual_weights, simulate, verify, verify_at
from specproof.simulations.samplers.selection import Selection
from specproof.simulations.samplers.trials import try_in_turn
from specproof.simulations.statistics import Check, check_frequency, check_law
from specproof.theory.distribution import as_pair, dirichlet
from specproof.theory.ratio import acceptance_ratio
from specproof.theory.verifiers.kseq.factor import division_factor
from specproof.theory.verifiers.kseq.law import kseq

LEVEL, TRIALS, RESOLUTION = 1e-8, 500_000, 0.006
OVERLAPPING = (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]))
ALMOST_ONE = 1 - 2**-53


def law_check(selection: Selection, target: np.ndarray) -> Check:
    check = check_law(selection.tokens, target, LEVEL)
    assert check.detectable <= RESOLUTION
    return check


@pytest.mark.parametrize("num_drafts", [1, 2, 5])
def test_array_form_is_the_loop_in_numpy_and_torch(num_drafts: int) -> None:
    rng, trials = np.random.default_rng(31), 1500
    draft, target = dirichlet(6, 0.4, rng, trials), dirichlet(6, 0.4, rng, trials)
    target[::7] = draft[::7]
    drafts = np.stack([invert(draft, rng.random(trials)) for _ in range(num_drafts)], axis=-1)
    uniforms, rho = rng.random((trials, num_drafts + 1)), division_factor(draft, target, num_drafts)
    found = verify(draft, target, drafts, uniforms, rho)
    rows = zip(draft, target, drafts.tolist(), uniforms, rho, strict=True)
    expected = [one_trial.kseq(p, q, x, u, r) for p, q, x, u, r in rows]
    assert list(zip(found.tokens.tolist(), found.accepted.tolist(), strict=True)) == expected
    assert set(found.accepted.tolist()) == {-1, *range(num_drafts)}
    in_torch = verify(*map(torch.asarray, (draft, target, drafts, uniforms, rho)))
    assert in_torch.tokens.tolist() == found.tokens.tolist()
    assert in_torch.accepted.tolist() == found.accepted.tolist()


@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
@pytest.mark.parametrize("name", DEGENERATE)
def test_one_shared_row_is_as_many_equal_rows(name: str, kind: Any) -> None:
    draft, target = (np.array(row) for row in as_pair(*DEGENERATE[name]))
    rng = np.random.default_rng(32)
    drafts, uniforms = kind(invert(draft, rng.random((500, 3)))), kind(rng.random((500, 4)))
    rho = division_factor(draft, target, 3)
    tiled = [kind(np.tile(row, (500, 1))) for row in (draft, target)]
    expected = verify(*tiled, drafts, uniforms, kind(np.full(500, rho)))
    for factor in (kind(rho), kind(np.full(500, rho))):
        found = verify(kind(draft), kind(target), drafts, uniforms, factor)
        assert found.tokens.tolist() == expected.tokens.tolist()
        assert found.accepted.tolist() == expected.accepted.tolist()


@pytest.mark.parametrize("name", DEGENERATE)
def test_one_draft_is_the_single_sampler(name: str) -> None:
    draft, target = as_pair(*DEGENERATE[name])
    rng = np.random.default_rng(33)
    drafts, uniforms = invert(draft, rng.random((500, 1))), rng.random((500, 2))
    found, known = (
        verify(draft, target, drafts, uniforms, np.array(1.0)),
        single.verify(draft, target, drafts, uniforms),
    )
    assert np.array_equal(found.tokens, known.tokens)
    assert np.array_equal(found.accepted, known.accepted)


@pytest.mark.parametrize(
    ("drafts", "uniforms", "token", "index"),
    [
        ([0, 1], [0.0, 0.0, 0.0], 1, 1),  # token 0 has no target: not even u = 0 accepts it
        ([0, 1], [0.0, np.nextafter(0.5, 0), 0.0], 1, 1),
        ([0, 1], [0.0, 0.5, 0.0], 1, -1),
        ([0, 1], [0.0, 0.5, ALMOST_ONE], 2, -1),
        ([1, 1], [0.0, 0.5, 0.0], 1, 0),
        ([1, 1], [0.5, np.nextafter(0.5, 0), 0.0], 1, 1),
        ([2, 1], [ALMOST_ONE, ALMOST_ONE, 0.0], 2, 0),
    ],
)
@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
def test_forced_branches(drafts: list[int], uniforms: list[float], token: int, index: int, kind: Any) -> None:
    """At rho = 2 token 1 is accepted below 1/2 and token 2 always; the residual holds both."""
    draft, target = kind(np.array([0.5, 0.25, 0.25])), kind(np.array([0.0, 0.25, 0.75]))
    found = verify(draft, target, kind(np.array([drafts])), kind(np.array([uniforms])), kind(np.array(2.0)))
    assert (found.tokens.tolist(), found.accepted.tolist()) == ([token], [index])


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_uniforms_emit_a_token_of_zero_target(name: str, dtype: type) -> None:
    draft, target = (row.astype(dtype) for row in as_pair(*DEGENERATE[name]))
    rho = division_factor(*DEGENERATE[name], 2)
    edges = np.array([0.0, 2**-53, 0.5, ALMOST_ONE])
    uniforms = np.stack(np.meshgrid(edges, edges, edges), axis=-1).reshape(-1, 3)
    for token in np.flatnonzero(draft > 0):
        found = verify_at(draft, target, np.full((len(uniforms), 2), token), uniforms, rho)
        assert np.all(target[found.tokens] > 0)


@given(pair=rough_pairs(), num_drafts=st.integers(1, 8))
@with_degenerate(num_drafts=3)
def test_residual_weights_are_what_the_theory_leaves(pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    law = kseq(draft, target, num_drafts)
    found = residual_weights(draft, target, num_drafts, division_factor(draft, target, num_drafts))
    left = np.maximum(target - law.accepted, 0.0)
    assert np.abs(found - left).max() <= 1e-14 or np.array_equal(found, target)
    assert np.all(found[target == 0] == 0)


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("num_drafts", [1, 3])
def test_compiled_form_is_the_loop_on_the_same_stream(name: str, num_drafts: int) -> None:
    draft, target = as_pair(*DEGENERATE[name])
    rho = division_factor(draft, target, num_drafts)
    found = simulate(draft, target, num_drafts, 300, np.random.default_rng(34), rho)
    rng = np.random.default_rng(34)
    chances = np.tile(acceptance_ratio(draft, target / rho), (num_drafts, 1))
    residual = residual_weights(draft, target, num_drafts, rho)
    expected = [one_trial.try_in_turn(draft, chances, residual, rng) for _ in range(300)]
    assert list(zip(found.tokens.tolist(), found.accepted.tolist(), strict=True)) == expected


@pytest.mark.parametrize("num_drafts", [2, 4])
@pytest.mark.parametrize("pair", [OVERLAPPING, *DEGENERATE.values()], ids=["overlapping", *DEGENERATE])
def test_compiled_form_has_the_exact_law(pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    rho = division_factor(draft, target, num_drafts)
    found = simulate(draft, target, num_drafts, TRIALS, np.random.default_rng(35), rho)
    law = kseq(draft, target, num_drafts)
    assert not law_check(found, target).is_refuted
    accepted = int(np.count_nonzero(found.accepted >= 0))
    assert not check_frequency(accepted, TRIALS, float(law.acceptance), LEVEL).is_refuted
    # The l-th draft is the one accepted with probability beta (1 - beta)^(l-1).
    beta = min(float(np.minimum(draft, target / rho).sum()), 1.0)
    by_index = np.append(beta * (1 - beta) ** np.arange(num_drafts), (1 - beta) ** num_drafts)
    assert not check_law(found.accepted % (num_drafts + 1), by_index, LEVEL).is_refuted


TELLING = (np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.4, 0.5]))
"""Every mutant below is at least 0.03 away from the target in some probability (for OVERLAPPING one is not)."""

RHO = division_factor(*TELLING, 3)
CHANCES = acceptance_ratio(TELLING[0], TELLING[1] / RHO)


@pytest.mark.parametrize(
    ("mutant", "chances", "residual"),
    [
        ("resamples from the target", CHANCES, TELLING[1]),
        ("resamples from the draft", CHANCES, TELLING[0]),
        ("resamples from the residual of one draft", CHANCES, single.residual_weights(*TELLING)),
        ("residual of one try too few", CHANCES, residual_weights(*TELLING, 2, RHO)),
        ("rho of 1", acceptance_ratio(*TELLING), residual_weights(*TELLING, 3, np.array(1.0))),
        ("accepts everything", np.ones(3), residual_weights(*TELLING, 3, RHO)),
    ],
)
def test_mutants_are_refuted(mutant: str, chances: np.ndarray, residual: np.ndarray) -> None:
    found = try_in_turn(TELLING[0], np.tile(chances, (3, 1)), residual, TRIALS, np.random.default_rng(36))
    assert law_check(found, TELLING[1]).is_refuted, mutant
