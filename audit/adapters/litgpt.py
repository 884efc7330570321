"""LitGPT: ``speculative_decoding``, one round of it, and ``generate``, end to end."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch

from audit.models import START, TabularLogits, generate_rounds
from audit.package import load
from audit.randomness import seeded
from audit.stand_ins import StandIn, in_place
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel

WHEEL = Wheel(
    distribution="litgpt",
    version="0.5.13",
    filename="litgpt-0.5.13-py3-none-any.whl",
    size=208_764,
    sha256="da044b76c52cd44fc0564f6177ed6cf186dde24f711ce8e71e1fd9e9da5f02b2",
    member="litgpt/generate/speculative_decoding.py",
)
WHEELS = (WHEEL,)
STAND_INS = (
    "lightning",
    "lightning.fabric.plugins",
    "litgpt.config",
    "litgpt.constants",
    "litgpt.model",
    "litgpt.prompts",
    "litgpt.tokenizer",
    "litgpt.utils",
)
DRAFTS = 2


class Cached:
    """A tabular model as LitGPT calls its own: tokens are put at positions, what lies before is remembered."""

    max_seq_length = 1000

    def __init__(self, model: TabularModel) -> None:
        self.logits = TabularLogits(model)
        self.tokens = torch.full((1, self.max_seq_length), START)

    def __call__(self, idx: torch.Tensor, input_pos: torch.Tensor, input_pos_maxp1: int | None = None) -> torch.Tensor:
        """Logits after each of these tokens."""
        self.tokens[:, input_pos] = idx
        last = int(input_pos[-1])
        assert input_pos_maxp1 == last + 1, "LitGPT's cache would be cut at another place"
        return self.logits(self.tokens[:, : last + 1])[:, input_pos]

    def modules(self) -> list[Any]:
        """None, as they are only looked through for compiled ones."""
        return []


def generate(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, one text a call; more tokens are asked for than are kept, so that the last round is whole."""
    draft, target, function = Cached(draft_model), Cached(target_model), module().generate
    ids = torch.tensor([START, *prompt])
    most = len(ids) + length + DRAFTS + 1
    texts = np.empty((n, length), dtype=np.int64)
    with seeded(rng):
        for text in texts:
            tokens, _ = function(draft, target, ids, most, include_prompt=False, speculative_k=DRAFTS)
            text[:] = tokens[:length].numpy()
    return texts


def rounds(
    draft_model: TabularModel,
    target_model: TabularModel,
    prompt: tuple[int, ...],
    length: int,
    n: int,
    rng: np.random.Generator,
) -> Tokens:
    """Contract generate, from rounds of ``speculative_decoding``."""
    draft, target, function = Cached(draft_model), Cached(target_model), module().speculative_decoding

    def one_round(ids: torch.Tensor) -> torch.Tensor:
        last = ids.shape[1] - 1
        for model in (draft, target):
            model.tokens[:, : last + 1] = ids
        tokens = function(draft, target, ids[0, -1:], torch.tensor([last]), last + 1, DRAFTS)
        return torch.cat([ids, tokens[None]], dim=1)

    with seeded(rng):
        return generate_rounds(one_round, prompt, length, n)


@cache
def module() -> Any:
    """``litgpt.generate.speculative_decoding``."""
    with in_place({name: StandIn(name) for name in STAND_INS}):
        return load(WHEEL)
