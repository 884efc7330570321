"""gptfast: the first rejection is read off the axis of the drafts."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import torch

from audit.adapters.gptfast import WHEEL, verify
from audit.package import load
from audit.repairs.repair import Torch
from specproof.conformance.problems import Tokens
from specproof.theory.distribution import Array


class _Uniforms:
    """What ``rand_like`` gives for ratios of shape (1, L): compared with them, it leaves the first axis out."""

    def __init__(self, ratios: torch.Tensor) -> None:
        self._values = torch.rand_like(ratios[0])

    def __gt__(self, ratios: torch.Tensor) -> torch.Tensor:
        return self._values > ratios[0]


def axis_of_drafts(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain: what the method asks ``nonzero`` about has the drafts' axis alone."""
    with patch.object(load(WHEEL), "torch", Torch(rand_like=_Uniforms)):
        return verify(draft_probs, target_probs, draft_tokens, rng)
