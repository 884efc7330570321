"""Token-by-token speculative sampling: accept with min(1, q/p), replace from the residual, add a bonus token."""

import numpy as np


def draw(weights, rng):
    """One token for each row of weights, never one of weight 0."""
    cumulative = np.cumsum(weights, axis=-1)
    return (cumulative > rng.random(len(weights))[:, None] * cumulative[:, -1:]).argmax(axis=-1)


def verify(draft_probs, target_probs, draft_tokens, rng):
    """Contract chain."""
    trials, length = draft_tokens.shape
    p = np.take_along_axis(draft_probs, draft_tokens[:, :, None], axis=-1)[..., 0]
    q = np.take_along_axis(target_probs[:, :-1], draft_tokens[:, :, None], axis=-1)[..., 0]
    accepted = np.cumprod(rng.random((trials, length)) * p < q, axis=1).astype(bool)
    count = accepted.sum(axis=1)
    rows = np.arange(trials)
    before = np.concatenate([draft_probs, np.zeros_like(target_probs[:, :1])], axis=1)[rows, count]
    residual = np.maximum(target_probs[rows, count] - before, 0.0)
    empty = residual.sum(axis=-1) == 0  # equal up to rounding: whatever the target can emit
    residual[empty] = target_probs[rows, count][empty]
    emitted = np.full((trials, length + 1), -1)
    emitted[:, :-1][accepted] = draft_tokens[accepted]
    emitted[rows, count] = draw(residual, rng)
    return emitted
