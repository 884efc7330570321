"""Slow, readable samplers: one trial at a time, with the same uniforms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def invert(weights: Sequence[float], uniform: float) -> int:
    """The first token whose cumulative weight exceeds the quantile; rounding may leave only the last of the support."""
    total = 0.0
    for weight in weights:
        total += weight
    reached, chosen = 0.0, len(weights) - 1
    for token, weight in enumerate(weights):
        reached += weight
        if weight > 0:
            chosen = token
            if reached > uniform * total:
                break
    return chosen


def replacement(left: Sequence[float], target: Sequence[float]) -> Sequence[float]:
    positive = [max(weight, 0.0) for weight in left]
    return positive if any(positive) else target


def single(draft: Sequence[float], target: Sequence[float], token: int, uniforms: Sequence[float]) -> tuple[int, int]:
    """The emitted token, and 0 if it is the draft, else -1."""
    if uniforms[0] * draft[token] < target[token]:
        return token, 0
    left = [q - p for p, q in zip(draft, target, strict=True)]
    return invert(replacement(left, target), uniforms[1]), -1


def kseq(
    draft: Sequence[float], target: Sequence[float], drafts: Sequence[int], uniforms: Sequence[float], rho: float
) -> tuple[int, int]:
    """The emitted token, and the index of the draft that was accepted, or -1."""
    for index, token in enumerate(drafts):
        if uniforms[index] * draft[token] < target[token] / rho:
            return token, index
    once = [min(p, q / rho) for p, q in zip(draft, target, strict=True)]
    missed = 1.0 - min(sum(once), 1.0)
    tries = 0.0
    for _ in drafts:
        tries = tries * missed + 1.0
    left = [q - o * tries for o, q in zip(once, target, strict=True)]
    return invert(replacement(left, target), uniforms[-1]), -1


def try_in_turn(
    draft: np.ndarray, accept: np.ndarray, residual: np.ndarray, rng: np.random.Generator
) -> tuple[int, int]:
    """One whole trial: each draft costs a number to draw it and one to judge it, a replacement one more."""
    for index, chances in enumerate(accept):
        token = invert(draft.tolist(), rng.random())
        if rng.random() < chances[token]:
            return token, index
    return invert(residual.tolist(), rng.random()), -1
