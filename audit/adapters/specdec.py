"""specdec: ``SpecDecoder.verify``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from audit.package import load
from audit.randomness import seeded
from audit.trials import emitted_rows, log_rows, whole_batches
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="specdec",
    version="0.2.0",
    filename="specdec-0.2.0-py3-none-any.whl",
    size=5_077,
    sha256="cfe701a49ee730d3debb9440fa5c20d81b4d3b177a079d069dfe7c9fd6861110",
    member="specdec/decoder.py",
)
WHEELS = (WHEEL,)


@whole_batches
def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain; the method takes one text a call and asks its own target model for the logits."""
    decoder: Any = load(WHEEL).SpecDecoder
    trials = zip(torch.from_numpy(draft_probs), log_rows(target_probs), draft_tokens.tolist(), strict=True)
    with seeded(rng):
        return emitted_rows(
            (
                decoder.verify(_model(logits), torch.zeros((1, 1), dtype=torch.int64), tokens, list(laws[:, None]))
                for laws, logits, tokens in trials
            ),
            draft_tokens.shape[1] + 1,
        )


def _model(logits: torch.Tensor) -> SimpleNamespace:
    """A decoder whose prompt is one token and whose target model gives these logits."""
    return SimpleNamespace(device="cpu", big_model=lambda _: SimpleNamespace(logits=logits[None]))
