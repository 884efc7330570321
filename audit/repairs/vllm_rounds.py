"""vLLM: drafts are drawn with noise of positions that no verification uses."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import torch

from audit.adapters.vllm_rounds import BEFORE, before, released
from specproof.conformance.problems import Tokens

FAR = 2**20
"""Positions away: no text is so long."""


def noise_of_its_own(*problem: Any) -> Tokens:
    """Contract round: ``sample_draft`` draws as it does, far away."""
    with released(BEFORE) as release:
        names = release.speculating.sample_draft.__globals__
    theirs = names["gumbel_sample"]

    def gumbel_sample(
        logits: torch.Tensor,
        rows: torch.Tensor,
        heat: torch.Tensor,
        seeds: torch.Tensor,
        pos: torch.Tensor,
        **rest: Any,
    ) -> Any:
        return theirs(logits, rows, heat, seeds, pos + FAR, **rest)

    with patch.dict(names, gumbel_sample=gumbel_sample):
        return before(*problem)
