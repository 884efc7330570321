"""A small number in the denominator of a ratio is seen; laws that are rounded to float32 are not."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from check_budgets import ALL_ROUNDS

from specproof.conformance import Verdict, check_sampler
from specproof.simulations.samplers.inversion import invert

NEAR = "thirty-two tokens, draft near the target"


def rounding(small: float, draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: np.random.Generator) -> Any:
    """Verify one draft in float32, with a small number added to its probability."""
    draft, target = (np.float32(law[:, 0]) for law in (draft_probs, target_probs))
    rows = np.arange(len(draft))
    first = draft_tokens[:, 0]
    accepted = rng.random(rows.size, dtype=np.float32) < target[rows, first] / (draft[rows, first] + np.float32(small))
    replaced = invert(np.maximum(target - draft, 0), rng.random(rows.size))
    last = np.where(accepted, invert(target_probs[:, 1], rng.random(rows.size)), -1)
    return np.stack([np.where(accepted, first, replaced), last], axis=1)


def test_a_small_number_in_a_denominator_is_seen_and_rounding_is_not() -> None:
    wrong = check_sampler(partial(rounding, 1e-3), budget=ALL_ROUNDS, problem=NEAR)
    assert wrong.verdict is Verdict.BIASED, wrong
    right = check_sampler(partial(rounding, 0.0), budget=ALL_ROUNDS, problem=NEAR)
    assert right.verdict is Verdict.LOSSLESS, right
