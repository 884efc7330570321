"""transformers: ``_speculative_sampling``, which ``generate`` calls with an assistant model when it samples."""

from __future__ import annotations

import numpy as np
import torch
from transformers.generation.utils import _speculative_sampling

from audit.randomness import seeded
from audit.trials import emitted_rows, log_rows, whole_batches
from specproof.conformance.problems import Tokens
from specproof.theory.distribution import Array


@whole_batches
def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain; the function takes one text a call, and logits."""
    length = draft_tokens.shape[1]
    rows = zip(torch.from_numpy(draft_tokens), log_rows(draft_probs), log_rows(target_probs), strict=True)
    with seeded(rng):
        return emitted_rows(
            (
                _speculative_sampling(tokens[None], draft[None], length, target[None])[0]
                for tokens, draft, target in rows
            ),
            length + 1,
        )
