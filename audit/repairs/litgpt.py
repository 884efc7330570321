"""LitGPT: the token that ``generate`` draws after the prompt stands in the text before those of the rounds."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import torch

from audit.adapters import litgpt
from specproof.conformance.problems import Tokens


def first_token_kept(*problem: Any) -> Tokens:
    """Contract generate: what the function returns begins with the token that its own ``next_token`` drew last."""
    module = litgpt.module()
    draw, theirs = module.next_token, module.generate
    drawn: list[torch.Tensor] = []

    def next_token(*given: Any, **options: Any) -> torch.Tensor:
        token: torch.Tensor = draw(*given, **options)
        drawn.append(token)
        return token

    def generate(*given: Any, **options: Any) -> tuple[torch.Tensor, float]:
        tokens, rate = theirs(*given, **options)
        return torch.cat([drawn[-1], tokens]), rate

    with patch.multiple(module, next_token=next_token, generate=generate):
        return litgpt.generate(*problem)
