"""rotalabs-accel: ``rejection_sample``, which its package exports."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from audit.package import load
from audit.randomness import seeded
from audit.trials import emitted_rows, log_rows, whole_batches
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="rotalabs-accel",
    version="1.1.1",
    filename="rotalabs_accel-1.1.1-py3-none-any.whl",
    size=75_069,
    sha256="8a558ae32ed28f5149c14238eab1dfa738c8294432ee1db74a3a4211566d0eba",
    member="rotalabs_accel/speculative/sampling.py",
)
WHEELS = (WHEEL,)


@whole_batches
def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain; the function takes one token a call, the loop around it and the bonus draw are the adapter's."""
    trials = zip(*map(torch.from_numpy, (draft_probs, target_probs, draft_tokens)), log_rows(target_probs), strict=True)
    with seeded(rng):
        return emitted_rows((list(_emit(*trial)) for trial in trials), draft_tokens.shape[1] + 1)


def _emit(draft: torch.Tensor, target: torch.Tensor, tokens: torch.Tensor, logits: torch.Tensor) -> Iterator[int]:
    rejection_sample = load(WHEEL).rejection_sample
    for position, token in enumerate(tokens):
        probabilities = target[position, token], draft[position, token]
        accepted, emitted = rejection_sample(*probabilities, token, logits[position])
        yield int(emitted)
        if not accepted:
            return
    yield int(torch.multinomial(target[-1], 1))
