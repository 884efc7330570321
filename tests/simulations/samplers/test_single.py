"""The one-draft sampler: the array form against a loop, the compiled form against the exact law.

Statistical tests: level 1e-8 each, 500,000 trials, deviations of 0.006 in any probability are seen with 0.99 (each
test asserts it). Seeds are fixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import one_trial
import pytest
import torch

from specproof.conformance.strategies import DEGENERATE, Pair
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import Selection
from specproof.simulations.samplers.single import residual_weights, simulate, verify
from specproof.simulations.samplers.trials import try_in_turn
from specproof.simulations.statistics import Check, check_frequency, check_law
from specproof.theory.distribution import as_pair, dirichlet
from specproof.theory.ratio import acceptance_ratio
from specproof.theory.verifiers.single import maximal_coupling

LEVEL, TRIALS, RESOLUTION = 1e-8, 500_000, 0.006
OVERLAPPING = (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]))
ALMOST_ONE = 1 - 2**-53


def random_rows(trials: int, tokens: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(21)
    draft, target = dirichlet(tokens, 0.4, rng, trials), dirichlet(tokens, 0.4, rng, trials)
    target[::7] = draft[::7]
    target[::3, 2] = 0.0
    target /= target.sum(axis=-1, keepdims=True)
    return draft, target, invert(draft, rng.random(trials))[:, None], rng.random((trials, 2))


def law_check(selection: Selection, target: np.ndarray) -> Check:
    check = check_law(selection.tokens, target, LEVEL)
    assert check.detectable <= RESOLUTION
    return check


def test_array_form_is_the_loop_in_numpy_and_torch() -> None:
    draft, target, drafts, uniforms = random_rows(3000)
    found = verify(draft, target, drafts, uniforms)
    expected = [
        one_trial.single(p, q, int(x[0]), u) for p, q, x, u in zip(draft, target, drafts, uniforms, strict=True)
    ]
    assert list(zip(found.tokens.tolist(), found.accepted.tolist(), strict=True)) == expected
    assert set(found.accepted.tolist()) == {0, -1}
    in_torch = verify(*map(torch.tensor, (draft, target, drafts, uniforms)))
    assert in_torch.tokens.tolist() == found.tokens.tolist()
    assert in_torch.accepted.tolist() == found.accepted.tolist()


@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
@pytest.mark.parametrize("name", DEGENERATE)
def test_one_shared_row_is_as_many_equal_rows(name: str, kind: Any) -> None:
    draft, target = (np.array(row) for row in as_pair(*DEGENERATE[name]))
    rng = np.random.default_rng(22)
    drafts, uniforms = kind(invert(draft, rng.random((500, 1)))), kind(rng.random((500, 2)))
    tiled = [kind(np.tile(row, (500, 1))) for row in (draft, target)]
    one = [kind(row) for row in (draft, target)]
    expected = verify(*tiled, drafts, uniforms)
    for laws in (one, (one[0], tiled[1]), (tiled[0], one[1])):
        found = verify(*laws, drafts, uniforms)
        assert found.tokens.tolist() == expected.tokens.tolist()
        assert found.accepted.tolist() == expected.accepted.tolist()


@pytest.mark.parametrize(
    ("draft", "target", "uniform", "accepted"),
    [
        ([0.5, 0.5], [0.25, 0.75], 0.0, True),
        ([0.5, 0.5], [0.25, 0.75], np.nextafter(0.5, 0), True),
        ([0.5, 0.5], [0.25, 0.75], 0.5, False),
        ([0.5, 0.5], [0.5, 0.5], ALMOST_ONE, True),
        ([0.5, 0.5], [0.75, 0.25], ALMOST_ONE, True),
        ([0.5, 0.5], [0.0, 1.0], 0.0, False),
        ([5e-324, 1.0], [1.0, 0.0], ALMOST_ONE, True),
    ],
)
@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
def test_forced_acceptance_of_token_zero(
    draft: list[float], target: list[float], uniform: float, accepted: bool, kind: Any
) -> None:
    laws = [kind(np.array(row)) for row in (draft, target)]
    found = verify(*laws, kind(np.array([[0]])), kind(np.array([[uniform, 0.5]])))
    assert found.tokens.tolist() == [0 if accepted else 1]
    assert found.accepted.tolist() == [0 if accepted else -1]


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_uniforms_emit_a_token_of_zero_target(name: str, dtype: type) -> None:
    draft, target = (row.astype(dtype) for row in as_pair(*DEGENERATE[name]))
    edges = np.array([0.0, 2**-53, 0.25, 0.5, 0.75, ALMOST_ONE])
    uniforms = np.stack(np.meshgrid(edges, edges), axis=-1).reshape(-1, 2)
    for token in np.flatnonzero(draft > 0):
        for rows in ((draft, target), tuple(np.tile(row, (len(uniforms), 1)) for row in (draft, target))):
            found = verify(*rows, np.full((len(uniforms), 1), token), uniforms)
            assert np.all(target[found.tokens] > 0)


def test_a_rejection_by_rounding_has_no_residual_and_emits_from_the_target() -> None:
    draft, target = DEGENERATE["equal up to rounding"]
    assert np.all(target <= draft)
    uniforms = np.array([[ALMOST_ONE, 0.7]])
    assert not uniforms[0, 0] * draft[0] < target[0], "the coin rejects"
    found = verify(draft, target, np.array([[0]]), uniforms)
    assert (found.tokens.tolist(), found.accepted.tolist()) == ([1], [-1])


def test_a_single_trial_needs_no_batch_axis() -> None:
    found = verify(*OVERLAPPING, np.array([0]), np.array([0.9, 0.5]))
    assert (int(found.tokens), int(found.accepted)) == (2, -1)


@pytest.mark.parametrize("name", DEGENERATE)
def test_compiled_form_is_the_loop_on_the_same_stream(name: str) -> None:
    draft, target = as_pair(*DEGENERATE[name])
    found = simulate(draft, target, 300, np.random.default_rng(23))
    rng = np.random.default_rng(23)
    chances, residual = acceptance_ratio(draft, target)[None], residual_weights(draft, target)
    expected = [one_trial.try_in_turn(draft, chances, residual, rng) for _ in range(300)]
    assert list(zip(found.tokens.tolist(), found.accepted.tolist(), strict=True)) == expected


@pytest.mark.parametrize("pair", [OVERLAPPING, *DEGENERATE.values()], ids=["overlapping", *DEGENERATE])
def test_compiled_form_has_the_exact_law(pair: Pair) -> None:
    draft, target = as_pair(*pair)
    found = simulate(draft, target, TRIALS, np.random.default_rng(24))
    law = maximal_coupling(draft, target)
    assert not law_check(found, target).is_refuted
    accepted = int(np.count_nonzero(found.accepted == 0))
    assert not check_frequency(accepted, TRIALS, float(law.acceptance), LEVEL).is_refuted
    assert set(found.accepted.tolist()) <= {0, -1}


@pytest.mark.parametrize(
    ("mutant", "chances", "residual"),
    [
        ("resamples from the target", acceptance_ratio(*OVERLAPPING), OVERLAPPING[1]),
        ("resamples from the draft", acceptance_ratio(*OVERLAPPING), OVERLAPPING[0]),
        (
            "residual the wrong way round",
            acceptance_ratio(*OVERLAPPING),
            np.maximum(OVERLAPPING[0] - OVERLAPPING[1], 0),
        ),
        ("acceptance without the quotient", OVERLAPPING[1], residual_weights(*OVERLAPPING)),
        ("accepts everything", np.ones(3), residual_weights(*OVERLAPPING)),
    ],
)
def test_mutants_are_refuted(mutant: str, chances: np.ndarray, residual: np.ndarray) -> None:
    found = try_in_turn(OVERLAPPING[0], chances[None], residual, TRIALS, np.random.default_rng(25))
    assert law_check(found, OVERLAPPING[1]).is_refuted, mutant
