"""mtplx: ``verify_one_token``, its NumPy reference of the rule that its device code follows."""

from __future__ import annotations

import numpy as np

from audit.package import load
from audit.trials import emitted_rows, whole_batches
from specproof.conformance.problems import Tokens
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.distribution import Array

WHEEL = Wheel(
    distribution="mtplx",
    version="2.12.2",
    filename="mtplx-2.12.2-py3-none-any.whl",
    size=3_328_884,
    sha256="6f77365395d5574316be5d521a16d23681cd9c44622ce555d5d7242e00d8a91f",
    member="mtplx/sampling.py",
)
WHEELS = (WHEEL,)


@whole_batches
def verify(draft_probs: Array, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """Contract chain; the function takes one token a call, the loop around it is the adapter's."""
    trials = zip(draft_probs, target_probs, draft_tokens.tolist(), strict=True)
    return emitted_rows((_emit(*trial, rng) for trial in trials), draft_tokens.shape[1] + 1)


def _emit(draft_rows: Array, target_rows: Array, drafts: list[int], rng: np.random.Generator) -> list[int]:
    sampling = load(WHEEL)
    emitted: list[int] = []
    for draft, target, token in zip(draft_rows, target_rows[:-1], drafts, strict=True):
        decision = sampling.verify_one_token(target, draft, token, rng)
        emitted.append(decision.token_id)
        if not decision.accepted:
            return emitted
    return [*emitted, sampling.sample_from_distribution(target_rows[-1], rng)]
