"""vLLM with FLy, which accepts a rejected draft where the target is unsure and would accept the drafts after it."""

from __future__ import annotations

import math

import numpy as np

from audit.adapters.vllm import first
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="vllm",
    version="0.33.0",
    filename="vllm-0.33.0-cp38-abi3-manylinux_2_28_x86_64.whl",
    size=336_361_138,
    sha256="4b6bdec4ab269990bf70d45a3c1e94c3760a27064513760193b26d6f0da883aa",
    member="vllm/v1/sample/rejection_sampler.py",
)
WHEELS = (WHEEL,)
WINDOW = 1
"""So many drafts after a rejected one are looked at; a round has at least one more."""
UNSURE = 0.3
"""The least entropy, the engine's default."""


def verify(
    draft_probs: Array | None,
    target_probs: Array,
    draft_tokens: Tokens,
    rng: np.random.Generator,
    unsure: float = UNSURE,
) -> Tokens:
    """Contract chain, ragged too, and drafts without a law."""
    return first(
        draft_probs,
        target_probs,
        draft_tokens,
        rng,
        wheel=WHEEL,
        fly_window_size=WINDOW,
        fly_entropy_threshold=unsure,
    )


def never_unsure(
    draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
) -> Tokens:
    """Contract chain: no entropy is enough, so that no rejected draft is accepted."""
    return verify(draft_probs, target_probs, draft_tokens, rng, math.inf)
