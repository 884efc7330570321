"""rotalabs-accel: the residual subtracts the whole draft law."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from audit.adapters.rotalabs_accel import WHEEL
from audit.package import load
from audit.randomness import seeded
from audit.repairs.repair import Torch
from audit.trials import emitted_rows, log_rows, whole_batches
from specproof.conformance.problems import Tokens
from specproof.theory.distribution import Array


@whole_batches
def whole_law(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain: ``rejection_sample`` subtracts the whole draft law instead of its entry at the draft."""
    trials = zip(*map(torch.from_numpy, (draft_probs, target_probs, draft_tokens)), log_rows(target_probs), strict=True)
    with seeded(rng):
        return emitted_rows((list(_emit(*trial)) for trial in trials), draft_tokens.shape[1] + 1)


def _emit(draft: torch.Tensor, target: torch.Tensor, tokens: torch.Tensor, logits: torch.Tensor) -> Iterator[int]:
    module: Any = load(WHEEL)
    for position, token in enumerate(tokens):
        with patch.object(module, "torch", _subtracting(draft[position])):
            accepted, emitted = module.rejection_sample(
                target[position, token], draft[position, token], token, logits[position]
            )
        yield int(emitted)
        if not accepted:
            return
    yield int(torch.multinomial(target[-1], 1))


def _subtracting(law: torch.Tensor) -> Torch:
    """The module sets the draft's entry in what ``zeros_like`` gives, and subtracts that."""
    return Torch(zeros_like=lambda like: law.to(like.dtype, copy=True))
