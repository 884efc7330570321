"""mini-infer: ``speculative_step``, a whole round of drafting and verification."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from audit.models import TabularLogits, generate_rounds
from audit.package import load
from audit.randomness import seeded
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

WHEEL = Wheel(
    distribution="mini-infer",
    version="0.2.5",
    filename="mini_infer-0.2.5-py3-none-any.whl",
    size=43_535,
    sha256="129e62f52793b109dff6e8a8ddefa6c36b32b9a8d81ccebf507ac119d2fef3ad",
    member="mini_infer/speculative/verifier.py",
)
WHEELS = (WHEEL,)
DRAFT_LENGTH = 2


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, at temperature 1."""
    step, models = load(WHEEL).speculative_step, (_model(target_model), _model(draft_model))

    def one_round(ids: torch.Tensor) -> torch.Tensor:
        tokens, _ = step(*models, ids, k_draft=DRAFT_LENGTH, temperature=1.0)
        return torch.cat([ids, torch.tensor([tokens])], dim=1)

    with seeded(rng):
        return generate_rounds(one_round, prompt, length, n)


def _model(model: TabularModel) -> Callable[[torch.Tensor], tuple[torch.Tensor, None]]:
    logits = TabularLogits(model)
    return lambda ids: (logits(ids), None)
