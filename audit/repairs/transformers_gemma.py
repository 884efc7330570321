"""transformers: the drafts of a Gemma 4 assistant are declared as they are drawn, certain tokens."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import torch
from transformers.generation.utils import _speculative_sampling

from audit.adapters import transformers_gemma
from specproof.conformance.problems import Tokens


def certain_drafts(*problem: Any) -> Tokens:
    """Contract generate: the test is handed logits that leave the drafted token alone."""

    def test(ids: torch.Tensor, logits: torch.Tensor, *rest: Any) -> tuple[torch.Tensor, torch.Tensor]:
        drafts = ids[:, -logits.shape[1] :, None]
        certain = torch.full_like(logits, -torch.inf).scatter(-1, drafts, 0.0)
        tokens, matches = _speculative_sampling(ids, certain, *rest)
        return tokens, matches

    with patch.object(transformers_gemma, "_speculative_sampling", test):
        return transformers_gemma.generate(*problem)
