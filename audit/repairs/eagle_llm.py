"""eagle-llm: the token after an accepted path is drawn at the temperature of all the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import torch

from audit.adapters.eagle_llm import WHEEL, generate_warm
from audit.package import load
from specproof.conformance.problems import Tokens

Processor = Callable[[Any, torch.Tensor], torch.Tensor]


def processed_everywhere(*problem: Any) -> Tokens:
    """Contract generate: ``evaluate_posterior`` is handed processed logits, and nothing that processes them again."""
    module: Any = load(WHEEL)
    theirs = module.evaluate_posterior

    def evaluate_posterior(logits: torch.Tensor, paths: torch.Tensor, processor: Processor, *rest: Any) -> Any:
        return theirs(processor(None, logits), paths, lambda _, processed: processed, *rest)

    with patch.object(module, "evaluate_posterior", evaluate_posterior):
        return generate_warm(*problem)
