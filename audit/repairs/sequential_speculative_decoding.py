"""sequential-speculative-decoding: ``capped_hsd_step`` counts tokens as its helpers do, and meets no probability 0."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import torch

from audit.adapters.sequential_speculative_decoding import capped_hsd, method_module
from specproof.conformance.problems import Tokens

SMALLEST = 1e-30
"""In the place of a probability 0: such a token has a ratio, and is never drawn."""


def counting_tokens(*problem: Any) -> Tokens:
    """Contract generate: the helpers get the number of tokens that they ask for, one more than the index they get."""
    module: Any = method_module("capped_hsd")
    ratio, divergences = module.compute_capped_prefix_ratio, module.compute_capped_branch_divergences
    with patch.multiple(
        module,
        compute_capped_prefix_ratio=lambda ratios, last: ratio(ratios, last + 1),
        compute_capped_branch_divergences=lambda tokens, draft, target, last, ratios: divergences(
            tokens, draft, target, last + 1, ratios
        ),
    ):
        return capped_hsd(*problem)


def without_zeros(*problem: Any) -> Tokens:
    """The same, and every probability is at least ``SMALLEST``."""
    module: Any = method_module("capped_hsd")
    law = module.apply_temperature

    def positive(logits: torch.Tensor, temperature: float) -> torch.Tensor:
        probabilities: torch.Tensor = law(logits, temperature)
        return probabilities.clamp(min=SMALLEST)

    with patch.object(module, "apply_temperature", positive):
        return counting_tokens(*problem)
