"""gptfast: ``speculative_decode_kv_cache``, the method that ``add_speculative_decoding`` gives a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from audit.package import load
from audit.randomness import seeded
from audit.trials import emitted_rows, log_rows, whole_batches
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="gptfast",
    version="0.3.1",
    filename="gptfast-0.3.1-py3-none-any.whl",
    size=48_788,
    sha256="7e4367f257b0cfeb272fe96f7f781816731f0d906f094ac581d68c0207042980",
    member="GPTFast/Core/Decode/SpeculativeDecode.py",
)
WHEELS = (WHEEL,)


@whole_batches
def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain; one text a call; the method asks two models with caches, which here have their answers ready."""
    module, length = load(WHEEL), draft_tokens.shape[1]
    trials = zip(torch.from_numpy(draft_tokens), torch.from_numpy(draft_probs), log_rows(target_probs), strict=True)
    with seeded(rng):
        return emitted_rows((_decode(module, length, *trial) for trial in trials), length + 1)


def _decode(module: Any, length: int, tokens: torch.Tensor, draft: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    model, assistant = _CachedModel(), _CachedModel()
    model.draft_model, model._prob_history = assistant, target[None]
    assistant.decode_function = lambda **_: (tokens[None], draft)
    prompt = torch.zeros((1, 1), dtype=torch.int64)
    module.KVCacheModel = _CachedModel  # the method asks whether its models are of this class
    emitted: torch.Tensor = module.speculative_decode_kv_cache(model, prompt, length)
    return emitted


class _CachedModel:
    """As much of a model with a cache as the method uses; it draws by ``torch.multinomial``."""

    device, _cached_len = "cpu", 0
    draft_model: Any
    _prob_history: torch.Tensor
    decode_function: Any

    def __call__(self, input_ids: torch.Tensor) -> None:
        """Advance the cache."""

    forward = __call__

    def sample(self, weights: torch.Tensor) -> torch.Tensor:
        """Weights (V,) in, token (1, 1) out."""
        return torch.multinomial(weights, 1)[None]

    def rollback_cache(self, last: int) -> None:
        """Shorten the cache."""
