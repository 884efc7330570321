"""The sampler of block verification against its exact law, and its forms against each other.

The statistical test: level 1e-8, 400,000 blocks for each of two fixed drafted sequences; a deviation of 0.007 in the
probability of any outcome (accepted length, next token) is seen with probability 0.99.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from check_budgets import QUICK

from specproof.conformance import Verdict, check_sampler
from specproof.conformance.references import block_by_block
from specproof.simulations.samplers import whole_blocks
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.statistics import check_law
from specproof.theory.blocks import block_verification as exact_law
from specproof.theory.distribution import dirichlet
from specproof.theory.errors import InvalidInput

LEVEL, BLOCKS = 1e-8, 400_000
ALMOST_ONE = 1 - 2**-53


def random_blocks(count: int, length: int, size: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Drafted blocks of random distributions, with equal rows, zeros and disjoint supports among them."""
    rng = np.random.default_rng(5)
    draft, target = dirichlet(size, 0.5, rng, (count, length)), dirichlet(size, 0.5, rng, (count, length + 1))
    target[::5, :length] = draft[::5]
    target[::3, :, 1] = 0.0
    target[1::7, 0] = np.where(np.arange(size) < 2, 0.0, 1.0)
    target[1::7, -1] = np.where(np.arange(size) == 2, 1.0, 0.0)
    target /= target.sum(axis=-1, keepdims=True)
    return draft, target, invert(draft, rng.random((count, length))), rng.random((count, length + 1))


@pytest.mark.parametrize("length", [1, 2, 4])
def test_array_and_compiled_form_keep_and_emit_the_same(length: int) -> None:
    arrays = random_blocks(3000, length)
    compiled, in_torch = whole_blocks.verify(*arrays), whole_blocks.verify(*map(torch.tensor, arrays))
    assert compiled.accepted.tolist() == in_torch.accepted.tolist()
    assert compiled.tokens.tolist() == in_torch.tokens.tolist()
    assert set(compiled.accepted.tolist()) == set(range(length + 1))


@pytest.mark.parametrize("kind", [np.asarray, torch.asarray])
@pytest.mark.parametrize("uniform", [0.0, ALMOST_ONE])
def test_extreme_uniforms_emit_only_tokens_of_the_target(kind: object, uniform: float) -> None:
    draft, target, drafts, uniforms = random_blocks(500, 3)
    found = whole_blocks.verify(*map(kind, (draft, target, drafts, np.full_like(uniforms, uniform))))  # type: ignore[arg-type]
    for row, (kept, token) in enumerate(zip(found.accepted.tolist(), found.tokens.tolist(), strict=True)):
        emitted = [*drafts[row, :kept], token]
        assert all(target[row, place, each] > 0 for place, each in enumerate(emitted))


@pytest.mark.parametrize("row", [2, 6])
def test_accepted_length_and_next_token_follow_the_exact_law(row: int) -> None:
    draft, target, drafts, _ = (array[row : row + 1] for array in random_blocks(10, 3))
    law = exact_law(draft[0], target[0], drafts[0])
    repeated = [np.repeat(array, BLOCKS, axis=0) for array in (draft, target, drafts)]
    found = whole_blocks.verify(*repeated, np.random.default_rng(9).random((BLOCKS, 4)))
    exact = (law.accepted[:, np.newaxis] * law.residual).ravel()
    check = check_law(found.accepted * draft.shape[-1] + found.tokens, exact, LEVEL)
    assert check.detectable <= 0.007
    assert not check.is_refuted
    # A rule that stops as if nothing were left at the next position is another one.
    assert np.abs(law.accepted - law.weights * np.append(1 - law.weights[1:], 1.0)).max() > 0.02


@pytest.mark.slow
def test_the_kit_calls_it_lossless_and_one_without_the_residual_biased(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_sampler(block_by_block, budget=QUICK).verdict == Verdict.LOSSLESS

    def unweighted(
        draft: np.ndarray, target: np.ndarray, drafts: np.ndarray, uniforms: np.ndarray
    ) -> whole_blocks.Block:
        """The token after a block that ends early comes from the target itself."""
        kept = verify(draft, target, drafts, uniforms).accepted
        return whole_blocks.Block(kept, invert(target[np.arange(len(kept)), kept], uniforms[:, -1]))

    verify = whole_blocks.verify
    monkeypatch.setattr(whole_blocks, "verify", unweighted)
    assert check_sampler(block_by_block, budget=QUICK).verdict == Verdict.BIASED


@pytest.mark.parametrize("name", ["draft", "target", "uniforms"])
def test_shapes_that_do_not_go_together_are_refused(name: str) -> None:
    arrays = dict(zip(("draft", "target", "drafts", "uniforms"), random_blocks(4, 2), strict=True))
    arrays[name] = arrays[name][:, :1]
    with pytest.raises(InvalidInput, match=f"{name} has shape"):
        whole_blocks.verify(**arrays)
