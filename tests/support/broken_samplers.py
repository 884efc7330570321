"""Samplers that are wrong in some calls only, and a right one whose uniforms a test can share out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from shared_uniforms import Shared

from specproof.conformance.references import token_by_token


def wrapped(change: Callable[..., Any]) -> Callable[..., Any]:
    """Token-by-token verification whose output is changed: ``change(emitted, draft_tokens, rng)``."""

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return change(token_by_token(draft_probs, target_probs, draft_tokens, rng), draft_tokens, rng)

    return verify


def always(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    """Every draft is accepted."""
    return token_by_token(np.full_like(draft_probs, 1e-9), target_probs, draft_tokens, rng)


def stale_bonus(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    """The bonus token from the row before its own, where more than one is drafted."""
    rows = np.concatenate([target_probs[:, :-1], target_probs[:, -2:-1]], axis=1)
    return token_by_token(draft_probs, rows if draft_tokens.shape[1] > 1 else target_probs, draft_tokens, rng)


def only_if(wrong: Callable[[int], bool], fault: Callable[..., Any] = always) -> Callable[..., Any]:
    def verify(*arguments: Any) -> Any:
        return (fault if wrong(len(arguments[2])) else token_by_token)(*arguments)

    return verify


def lenient_if(condition: Callable[[Any], bool], factor: float) -> Callable[..., Any]:
    """Token-by-token verification that accepts too much in calls where the drafts are as the condition says."""

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        shown = draft_probs / factor if condition(draft_tokens) else draft_probs
        return token_by_token(shown, target_probs, draft_tokens, rng)

    return verify


def sharing(source: Callable[[int], Any], first: int = 0) -> Callable[..., Any]:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return by_position(draft_probs, target_probs, draft_tokens, Shared(rng, source, first))

    return verify


def by_position(draft_probs: Any, target_probs: Any, draft_tokens: Any, uniforms: Any) -> Any:
    """A correct verifier whose numbers for position i are in column i: one for the test and one for the quantile."""
    n, length = draft_tokens.shape
    tests, quantiles = uniforms.random((n, length)), uniforms.random((n, length + 1))
    emitted, going = np.full((n, length + 1), -1), np.ones(n, dtype=bool)
    rows = np.arange(n)
    for place in range(length + 1):
        law = target_probs[:, place]
        kept = np.zeros(n, dtype=bool)
        if place < length:
            token = draft_tokens[:, place]
            kept = tests[:, place] * draft_probs[rows, place, token] < law[rows, token]
            excess = np.maximum(law - draft_probs[:, place], 0.0)
            law = np.where(excess.sum(axis=1, keepdims=True) > 0, excess, law)
        sums = law.cumsum(axis=1)
        drawn = np.minimum((sums <= quantiles[:, place, None] * sums[:, -1:]).sum(axis=1), law.shape[1] - 1)
        drawn = np.where(kept, draft_tokens[:, min(place, length - 1)], drawn)
        emitted[going, place] = drawn[going]
        going &= kept
    return emitted


def in_groups(size: int) -> Callable[[int], Any]:
    return lambda n: np.arange(n) // size * size


def tiled(period: int) -> Callable[[int], Any]:
    return lambda n: np.arange(n) % period
