"""lmdeploy: ``DefaultRejectionSamplingImpl``, the portable implementation of its PyTorch engine."""

from __future__ import annotations

import numpy as np
import torch

from audit.package import load
from audit.randomness import seeded
from audit.trials import log_rows, whole_batches
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="lmdeploy",
    version="0.18.0",
    filename="lmdeploy-0.18.0-cp311-cp311-manylinux_2_28_x86_64.whl",
    size=106_690_261,
    sha256="e6790a25dcdb0345c160567fdf2ac604fec319389523a8b806834c9d92c8ffe1",
    member="lmdeploy/pytorch/backends/default/rejection_sampling.py",
)
WHEELS = (WHEEL,)


@whole_batches
def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain; batched; takes draft probabilities in float32, as its engine has them, and the bonus token."""
    sampler = load(WHEEL).DefaultRejectionSamplingImpl()
    target, draft = log_rows(target_probs), torch.from_numpy(draft_probs).float()
    with seeded(rng):
        bonus = torch.multinomial(target[:, -1].exp(), 1)[:, 0]
        drafts = torch.from_numpy(draft_tokens)
        emitted: Tokens = sampler.forward(target[:, :-1], drafts, bonus, is_greedy=None, draft_probs=draft)[0].numpy()
    return emitted
