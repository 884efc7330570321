"""flashspec: ``rejection_step``, the device-side step of its engine."""

from __future__ import annotations

import numpy as np
import torch

from audit.package import load
from audit.randomness import torch_generator
from audit.trials import log_rows, whole_batches
from specproof.conformance.defects.rules import emit
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="flashspec",
    version="0.3.1",
    filename="flashspec-0.3.1-py3-none-any.whl",
    size=136_863,
    sha256="c8cfb5588be6529ad4fc98c8ff3823dd91e45a8c5da51c163e34710caf4c84f1",
    member="flashspec/sampling/rejection.py",
)
WHEELS = (WHEEL,)


@whole_batches
def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain; the function is batched and takes logarithms."""
    step = load(WHEEL).rejection_step
    laws = log_rows(draft_probs), log_rows(target_probs)
    accepted, following = step(torch.from_numpy(draft_tokens), *laws, generator=torch_generator(rng)).unbind(1)
    return emit(draft_tokens, accepted.numpy(), following.numpy())
