"""Greedy requests beside sampled ones, and the exact law of acceptance that is made up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from audit.adapters import vllm, vllm_modes
from audit.package import is_fetched
from specproof.conformance.problems import Tokens
from specproof.conformance.problems.ladder import ladder
from specproof.simulations.statistics import check_law

FEW = ladder("chain")["three tokens"]
TRIALS = 3000
LEVEL = 1e-6


def test_greedy_decoding_ends_after_the_first_token_that_is_not_drafted() -> None:
    """Of the equally likely the first is decoded, and drafts may be missing."""
    laws = np.array([[0.2, 0.8, 0.0], [0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])
    drafts = np.array([[1, 0], [1, 1], [0, 0], [1, -1], [-1, -1]])
    greedy = [[1, 0, 2], [1, 0, -1], [1, -1, -1], [1, 0, -1], [1, -1, -1]]
    assert vllm_modes.greedy_rows(np.stack([laws] * len(drafts)), drafts).tolist() == greedy


def test_a_greedy_row_that_is_sampled_is_told() -> None:
    def sampling(_: Any, target_probs: Any, draft_tokens: Tokens, *__: Any, temperature: Any) -> Tokens:
        """Emit the first draft, whatever the temperature."""
        return np.pad(draft_tokens[:, :1], ((0, 0), (0, draft_tokens.shape[1])), constant_values=-1)

    laws = np.array([[[0.2, 0.8], [0.5, 0.5]]] * 2)
    rng = np.random.default_rng(0)
    rejected = np.array([[0], [0]])
    with pytest.raises(AssertionError, match=r"greedy row 0 emitted \[0, -1\], greedy decoding \[1, -1\]"):
        vllm_modes._beside_greedy(sampling, None, laws, rejected, rng)


@pytest.mark.slow
@pytest.mark.skipif(not is_fetched(*vllm.WHEELS), reason="its wheel is not in the cache")
def test_what_is_accepted_by_a_rate_has_a_law_of_its_own() -> None:
    """Level 1e-6; the target's law, which it is not, is refuted on as many trials."""
    draft, target = FEW.draft.conditionals[0], FEW.target.conditionals[0]
    residual = np.maximum(target - draft, 0)
    law = vllm_modes.RATE * draft + (1 - vllm_modes.RATE) * residual / residual.sum()
    rng = np.random.default_rng(0)
    emitted = vllm_modes.synthetic(*FEW.positional(FEW.arguments(TRIALS, rng)), rng)[:, 0]
    assert not check_law(emitted, law, LEVEL).is_refuted
    assert check_law(emitted, target, LEVEL).is_refuted
