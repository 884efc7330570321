"""Prompts in groups, each the work of one cell, and the pair they are decoded with."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypedDict

from specproof.simulations.claims.claim import Settings
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    from specproof.simulations.language_models.model_pair import ModelPair

GROUP_SIZE = 28
"""Prompts decoded together."""


class PromptGroup(TypedDict):
    """What a cell decodes, as JSON values."""

    pair: str
    device: str
    first: int
    """The number of its first prompt among all."""
    prompts: list[dict[str, Any]]
    """As :class:`specproof.simulations.language_models.prompts.Prompt` fields."""


def prompt_groups(settings: Settings, size: int = GROUP_SIZE) -> list[PromptGroup]:
    """Deal the prompts out in groups of ``size``.

    Raises
    ------
    InvalidInput
        If the settings have no prompts.
    """
    if not settings.prompts:
        raise InvalidInput("prompts is empty: give at least one, as load_prompts does")
    prompts = [dict(prompt) for prompt in settings.prompts]
    return [
        {"pair": settings.pair, "device": settings.device, "first": start, "prompts": prompts[start : start + size]}
        for start in range(0, len(prompts), size)
    ]


def prepare(group: PromptGroup) -> tuple[ModelPair, list[list[int]]]:
    """Load the pair (once a process) and encode the prompts."""
    from specproof.simulations.language_models.prompts import Prompt, encode

    make_repeatable(group["device"])
    models = _keeping_pair(group["pair"], group["device"])
    return models, encode([Prompt(**prompt) for prompt in group["prompts"]], models.tokenizer)


@lru_cache(maxsize=1)
def _keeping_pair(name: str, device: str) -> ModelPair:
    """Load the pair so that it reads a group of prompts once, for all cells of this process that start from them."""
    from specproof.simulations.language_models.kept_prompts import KeepingModel
    from specproof.simulations.language_models.model import LanguageModel
    from specproof.simulations.language_models.pairs import load_pair

    models = load_pair(name, device)
    draft = KeepingModel.of(models.draft) if isinstance(models.draft, LanguageModel) else models.draft
    return replace(models, draft=draft, target=KeepingModel.of(models.target))


def make_repeatable(device: str) -> None:
    """Keep torch on a CPU to one thread: the result of a sum over threads depends on how many there are."""
    import torch

    if device == "cpu":
        torch.set_num_threads(1)
