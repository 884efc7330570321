"""dflash: ``_rejection_sample``, with which its ``generate`` verifies a block."""

from __future__ import annotations

import numpy as np
import torch

from audit.package import load
from audit.randomness import seeded
from audit.trials import emitted_rows, whole_batches
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="dflash",
    version="0.1.0",
    filename="dflash-0.1.0-py3-none-any.whl",
    size=25_587,
    sha256="b3fe38d9413efc30a952c8b38b34f1dcc696ba6d7b865acbf540a34cc53afaa2",
    member="dflash/model.py",
)
WHEELS = (WHEEL,)


@whole_batches
def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain; the function takes one text a call."""
    function = load(WHEEL)._rejection_sample
    rows = zip(*map(torch.from_numpy, (draft_tokens, target_probs, draft_probs)), strict=True)
    texts = []
    with seeded(rng):
        for tokens, target, draft in rows:
            accepted, following = function(tokens[None], target[None], draft[None])
            texts.append(torch.cat([tokens[:accepted], following[None]]))
    return emitted_rows(texts, draft_tokens.shape[1] + 1)
