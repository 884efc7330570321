"""What the samplers' entry points refuse, each on one line that names the argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from specproof.simulations.samplers import SAMPLERS, kseq, priority, recursive, recursive_without_replacement, single
from specproof.simulations.samplers.sequences import simulate, verify_level
from specproof.theory.chain import random_markov_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers.kseq.factor import division_factor

DRAFT, TARGET = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
DRAFTS, UNIFORMS, ALIVE = np.array([[0, 1], [2, 2]]), np.full((2, 3), 0.5), np.ones((2, 2), dtype=bool)
RULES: dict[str, Callable[..., Any]] = {
    "single": single.verify,
    "kseq": kseq.verify,
    "recursive": recursive.verify,
    "recursive without replacement": recursive_without_replacement.verify,
    "priority": priority.verify,
    "one level of sequences": lambda p, q, x, u: verify_level(p, q, x, ALIVE, u, SAMPLERS["kseq"]),
}
CHAINS = random_markov_pair(3, 5, np.random.default_rng(0))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((DRAFT, TARGET, [[0, 1], [1]], UNIFORMS), "arrays of one library .*list"),
        ((DRAFT.tolist(), TARGET, DRAFTS, UNIFORMS), "arrays of one library .*list"),
        ((torch.asarray(DRAFT), TARGET, DRAFTS, UNIFORMS), "arrays of one library"),
        ((DRAFT, TARGET, DRAFTS.astype(float), UNIFORMS), r"drafts has shape \(2, 2\) and dtype float64"),
        ((DRAFT, TARGET, np.array(1), UNIFORMS), r"drafts has shape \(\)"),
        ((DRAFT, TARGET, np.zeros((2, 0), dtype=int), UNIFORMS), r"drafts has shape \(2, 0\)"),
        ((DRAFT, TARGET, DRAFTS, UNIFORMS[:, :2]), r"uniforms has shape \(2, 2\): .* take \(2, 3\)"),
        ((DRAFT, TARGET[:2], DRAFTS, UNIFORMS), "draft has 3 tokens and target has 2"),
        ((DRAFT, TARGET, DRAFTS - 1, UNIFORMS), r"drafts\[0, 0\] is -1, not a token from 0 to 2"),
        ((DRAFT, TARGET, DRAFTS + 1, UNIFORMS), r"drafts\[1, 0\] is 3, not a token from 0 to 2"),
        ((DRAFT, TARGET.astype(np.float16), DRAFTS, UNIFORMS), "target has dtype float16: cast to float32"),
        (tuple(map(torch.asarray, (DRAFT, TARGET, DRAFTS + 1, UNIFORMS))), r"drafts\[1, 0\] is 3"),
        (
            (torch.asarray(DRAFT).bfloat16(), *map(torch.asarray, (TARGET, DRAFTS, UNIFORMS))),
            "draft has dtype torch.bfloat16: cast to float32",
        ),
        ((np.tile(DRAFT, (3, 1)), TARGET, DRAFTS, UNIFORMS), r"draft has shape \(3, 3\): .* or \(2, V\)"),
    ],
)
def test_arrays_that_do_not_go_together(rule: Callable[..., Any], arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        rule(*arguments)


@pytest.mark.parametrize("alive", [ALIVE[:, :1], ALIVE.astype(int), [[True, True], [True, True]]])
def test_what_is_not_which_sequences_live(alive: Any) -> None:
    with pytest.raises(InvalidInput, match=r"alive is not a boolean array of shape \(2, 2\)"):
        verify_level(DRAFT, TARGET, DRAFTS, alive, UNIFORMS, SAMPLERS["kseq"])


@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
def test_a_division_factor_outside_its_range(kind: Callable[..., Any]) -> None:
    arguments = [kind(array) for array in (DRAFT, TARGET, DRAFTS, UNIFORMS)]
    smallest = float(division_factor(DRAFT, TARGET, 2))
    for rho, message in [
        (0.999 * smallest, r"outside \[rho\*, num_drafts\].* below rho\* it is not sure to be lossless"),
        (2.5, r"rho is 2\.5, outside .* a larger factor than num_drafts only accepts less"),
        (np.nan, "rho is nan"),
        ([2.0, 1.0], r"rho\[1\] is 1, outside"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            kseq.verify(*arguments, kind(rho))
    with pytest.raises(InvalidInput, match="rho is not an array of real numbers"):
        kseq.verify(*arguments, "a")
    below = kseq.verify_at(*arguments, kind(0.999 * smallest))  # what a negative control may do
    assert below.tokens.shape == (2,)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, 2, 10), "num_drafts is 0"),
        ((2, "a", 10), "length is 'a': it must be an integer >= 1"),
        ((2, 2.5, 10), r"length is 2\.5: it must be an integer >= 1"),
        ((2, 0, 10), "length is 0: it must be an integer >= 1"),
        ((2, 5, 10), r"length is 5: .* it lies in 1\.\.4"),
        ((2, 2, -1), "trials is -1: it must be an integer >= 1"),
        ((2, 2, 0), "trials is 0: it must be an integer >= 1"),
        ((2, 2, True), "trials is True: it must be an integer >= 1"),
    ],
)
def test_numbers_of_blocks(numbers: tuple[Any, Any, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        simulate(*CHAINS, *numbers, np.random.default_rng(0), SAMPLERS["kseq"])
