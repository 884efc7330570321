"""Recursive rejection: the array form against a loop, the compiled form against the exact law.

Statistical tests: level 1e-8 each, 500,000 trials, deviations of 0.006 in any probability are seen with 0.99 (each
test asserts it). Seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import one_trial
import pytest
import torch

from specproof.conformance.strategies import DEGENERATE
from specproof.simulations.samplers import single
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.recursive import simulate, verify
from specproof.simulations.samplers.selection import Selection
from specproof.simulations.samplers.trials import try_in_turn
from specproof.simulations.statistics import Check, check_frequency, check_law
from specproof.theory.distribution import as_pair, dirichlet
from specproof.theory.ratio import acceptance_ratio
from specproof.theory.verifiers.recursive import recursive_rejection

LEVEL, TRIALS, RESOLUTION = 1e-8, 500_000, 0.006
OVERLAPPING = (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]))
ALMOST_ONE = 1 - 2**-53
PAIRS = {"overlapping": OVERLAPPING, **DEGENERATE}


def loop(
    draft: Sequence[float], target: Sequence[float], drafts: Sequence[int], uniforms: Sequence[float]
) -> tuple[int, int]:
    """The rule as it is written: each draft against the normalised residual of the one before."""
    law = list(target)
    for index, token in enumerate(drafts):
        if uniforms[index] < law[token] / draft[token]:
            return token, index
        left = [max(q - p, 0.0) for p, q in zip(draft, law, strict=True)]
        law = [weight / sum(left) for weight in left] if any(left) else list(target)
    return one_trial.invert(law, uniforms[-1]), -1


def law_check(selection: Selection, law: np.ndarray) -> Check:
    check = check_law(selection.tokens, law, LEVEL)
    assert check.detectable <= RESOLUTION
    return check


@pytest.mark.parametrize("num_drafts", [1, 2, 5])
def test_array_form_is_the_loop_in_numpy_and_torch(num_drafts: int) -> None:
    rng, trials = np.random.default_rng(71), 1500
    draft, target = dirichlet(6, 0.4, rng, trials), dirichlet(6, 0.4, rng, trials)
    target[::7] = draft[::7]
    drafts = np.stack([invert(draft, rng.random(trials)) for _ in range(num_drafts)], axis=-1)
    uniforms = rng.random((trials, num_drafts + 1))
    found = verify(draft, target, drafts, uniforms)
    expected = [loop(p, q, x, u) for p, q, x, u in zip(draft, target, drafts.tolist(), uniforms, strict=True)]
    assert list(zip(found.tokens.tolist(), found.accepted.tolist(), strict=True)) == expected
    assert set(found.accepted.tolist()) == {-1, *range(num_drafts)}
    in_torch = verify(*map(torch.asarray, (draft, target, drafts, uniforms)))
    assert in_torch.tokens.tolist() == found.tokens.tolist()
    assert in_torch.accepted.tolist() == found.accepted.tolist()


@pytest.mark.parametrize("pair", PAIRS)
def test_one_draft_is_the_single_sampler(pair: str) -> None:
    draft, target = as_pair(*PAIRS[pair])
    rng = np.random.default_rng(72)
    drafts, uniforms = invert(draft, rng.random((500, 1))), rng.random((500, 2))
    found, known = (rule(draft, target, drafts, uniforms) for rule in (verify, single.verify))
    assert np.array_equal(found.tokens, known.tokens)
    assert np.array_equal(found.accepted, known.accepted)


@pytest.mark.parametrize(
    ("drafts", "uniforms", "token", "index"),
    [
        ([0, 0], [np.nextafter(0.5, 0), 0.0, 0.0], 0, 0),
        ([0, 0], [0.5, 0.0, 0.0], 1, -1),  # nothing is left of token 0: not even u = 0 accepts it
        ([0, 1], [0.5, ALMOST_ONE, 0.0], 1, 1),
        ([1, 0], [ALMOST_ONE, 0.0, 0.0], 1, 0),
    ],
)
def test_forced_branches(drafts: list[int], uniforms: list[float], token: int, index: int) -> None:
    """p = (1/2, 1/2) and q = (1/4, 3/4): q^2 is all on token 1."""
    found = verify(np.array([0.5, 0.5]), np.array([0.25, 0.75]), np.array([drafts]), np.array([uniforms]))
    assert (found.tokens.tolist(), found.accepted.tolist()) == ([token], [index])


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_uniforms_emit_a_token_of_zero_target(pair: str, dtype: type) -> None:
    draft, target = (row.astype(dtype) for row in as_pair(*PAIRS[pair]))
    edges = np.array([0.0, 2**-53, 0.5, ALMOST_ONE])
    uniforms = np.stack(np.meshgrid(edges, edges, edges), axis=-1).reshape(-1, 3)
    for token in np.flatnonzero(draft > 0):
        found = verify(draft, target, np.full((len(uniforms), 2), token), uniforms)
        assert np.all(target[found.tokens] > 0)


@pytest.mark.parametrize("num_drafts", [1, 2, 4])
@pytest.mark.parametrize("pair", PAIRS)
def test_compiled_form_has_the_exact_law(pair: str, num_drafts: int) -> None:
    draft, target = as_pair(*PAIRS[pair])
    found = simulate(draft, target, num_drafts, TRIALS, np.random.default_rng(73))
    assert not law_check(found, target).is_refuted
    accepted = int(np.count_nonzero(found.accepted >= 0))
    law = recursive_rejection(draft, target, num_drafts)
    assert not check_frequency(accepted, TRIALS, float(law.acceptance), LEVEL).is_refuted


def test_array_form_has_the_exact_law() -> None:
    rng = np.random.default_rng(74)
    drafts = invert(OVERLAPPING[0], rng.random((TRIALS, 3)))
    found = verify(*OVERLAPPING, drafts, rng.random((TRIALS, 4)))
    assert not law_check(found, OVERLAPPING[1]).is_refuted
    accepted = int(np.count_nonzero(found.accepted >= 0))
    law = recursive_rejection(*OVERLAPPING, 3)
    assert not check_frequency(accepted, TRIALS, float(law.acceptance), LEVEL).is_refuted


@pytest.mark.parametrize("mutant", ["every draft against the target itself", "residual of one draft"])
def test_mutants_are_refuted(mutant: str) -> None:
    """Beside the proper thresholds and residual of two drafts, which pass."""
    draft, target = np.array([0.6, 0.3, 0.1]), np.array([0.1, 0.4, 0.5])
    once = np.maximum(target - draft, 0.0)
    twice = np.maximum(once - once.sum() * draft, 0.0)
    second = acceptance_ratio(once.sum() * draft, once)
    proper = np.stack([acceptance_ratio(draft, target), second]), twice
    broken = {
        "every draft against the target itself": (np.stack([acceptance_ratio(draft, target)] * 2), twice),
        "residual of one draft": (proper[0], once),
    }
    rng = np.random.default_rng(75)
    assert not law_check(try_in_turn(draft, *proper, TRIALS, rng), target).is_refuted
    assert law_check(try_in_turn(draft, *broken[mutant], TRIALS, rng), target).is_refuted
