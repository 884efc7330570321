"""Prompts in batches, each the work of one cell, and the pair they are decoded with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simulations.claims.claim import Settings
from theory.errors import InvalidInput

if TYPE_CHECKING:
    from simulations.language_models.pairs import ModelPair

BATCH = 28
"""Prompts decoded together."""


def batches(settings: Settings) -> list[dict[str, Any]]:
    """Return the parameters that the cells of each batch share.

    Raises
    ------
    InvalidInput
        If the settings have no prompts.
    """
    if not settings.prompts:
        raise InvalidInput("prompts is empty: give at least one, as load_prompts does")
    prompts = [dict(prompt) for prompt in settings.prompts]
    return [
        {"pair": settings.pair, "device": settings.device, "first": start, "prompts": prompts[start : start + BATCH]}
        for start in range(0, len(prompts), BATCH)
    ]


def prepare(pair: str, device: str, prompts: Sequence[Mapping[str, Any]]) -> tuple[ModelPair, list[list[int]]]:
    """Load the pair (once a process) and encode the prompts; on a CPU, with one thread, so that results repeat."""
    import torch

    from simulations.language_models.pairs import load_pair
    from simulations.language_models.prompts import Prompt, encode

    if device == "cpu":
        torch.set_num_threads(1)
    models = load_pair(pair, device)
    return models, encode([Prompt(**prompt) for prompt in prompts], models.tokenizer)
