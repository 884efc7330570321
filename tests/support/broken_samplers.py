"""Samplers that are wrong in some calls only, and a right one whose uniforms a test can share out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from shared_uniforms import Shared

from specproof.simulations.samplers.inversion import invert_once
from specproof.theory.compiled import compiled


def wrapped(change: Callable[..., Any]) -> Callable[..., Any]:
    """Token-by-token verification whose output is changed: ``change(emitted, draft_tokens, rng)``."""

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return change(by_position(draft_probs, target_probs, draft_tokens, rng), draft_tokens, rng)

    return verify


def always(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    """Every draft is accepted."""
    return by_position(np.full_like(draft_probs, 1e-9), target_probs, draft_tokens, rng)


def stale_bonus(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    """The bonus token from the row before its own, where more than one is drafted."""
    rows = np.concatenate([target_probs[:, :-1], target_probs[:, -2:-1]], axis=1)
    return by_position(draft_probs, rows if draft_tokens.shape[1] > 1 else target_probs, draft_tokens, rng)


def only_if(wrong: Callable[[int], bool], fault: Callable[..., Any] = always) -> Callable[..., Any]:
    def verify(*arguments: Any) -> Any:
        return (fault if wrong(len(arguments[2])) else by_position)(*arguments)

    return verify


def lenient_if(condition: Callable[[Any], bool], factor: float) -> Callable[..., Any]:
    """Token-by-token verification that accepts too much in calls where the drafts are as the condition says."""

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        shown = draft_probs / factor if condition(draft_tokens) else draft_probs
        return by_position(shown, target_probs, draft_tokens, rng)

    return verify


def sharing(source: Callable[[int], Any], first: int = 0) -> Callable[..., Any]:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return by_position(draft_probs, target_probs, draft_tokens, Shared(rng, source, first))

    return verify


def by_position(draft_probs: Any, target_probs: Any, draft_tokens: Any, uniforms: Any) -> Any:
    """Token-by-token verification whose numbers for position i are in column i: one for the test, one for the quantile.

    A loop of its own, compiled: a check calls it thousands of times with a trial or two, which arrays are slow at.
    """
    draft_probs, target_probs = (np.array(rows, dtype=np.float64, order="C") for rows in (draft_probs, target_probs))
    draft_tokens = np.array(draft_tokens, dtype=np.int64, order="C")
    n, length = draft_tokens.shape
    tests, quantiles = uniforms.random((n, length)), uniforms.random((n, length + 1))
    emitted = np.full((n, length + 1), -1)
    _verify_by_position(draft_probs, target_probs, draft_tokens, tests, quantiles, emitted)
    return emitted


@compiled()
def _verify_by_position(
    draft_probs: Any, target_probs: Any, draft_tokens: Any, tests: Any, quantiles: Any, emitted: Any
) -> None:
    n, length = draft_tokens.shape
    for row in range(n):
        place = 0
        while place < length:
            token = draft_tokens[row, place]
            if tests[row, place] * draft_probs[row, place, token] >= target_probs[row, place, token]:
                break
            emitted[row, place] = token
            place += 1
        weights = target_probs[row, place].copy()
        if place < length:
            for token in range(weights.size):
                weights[token] = max(weights[token] - draft_probs[row, place, token], 0.0)
            if weights.sum() == 0.0:
                weights[:] = target_probs[row, place]
        emitted[row, place] = invert_once(weights, quantiles[row, place])


# Compiled here: a check that waited for it would take it for slow.
by_position(np.ones((1, 1, 1)), np.ones((1, 2, 1)), np.zeros((1, 1)), np.random.default_rng(0))


def first_draft(draft_probs: Any, target_probs: Any, draft_tokens: Any, uniforms: Any) -> Any:
    """The same in the contract multi: of several drafts of one position the first, the others not looked at."""
    rows = np.stack([target_probs, target_probs], axis=1)
    emitted = by_position(draft_probs[:, np.newaxis], rows, draft_tokens[:, :1], uniforms)
    return emitted[:, 0], np.where(emitted[:, 1] >= 0, 0, -1)


def in_groups(size: int) -> Callable[[int], Any]:
    return lambda n: np.arange(n) // size * size


def tiled(period: int) -> Callable[[int], Any]:
    return lambda n: np.arange(n) % period
