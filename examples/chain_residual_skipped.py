"""Broken: a rejected draft is replaced by a draw from the target, not from the residual."""

import numpy as np


def draw(weights, rng):
    """One token for each row of weights."""
    cumulative = np.cumsum(weights, axis=-1)
    return (cumulative > rng.random(len(weights))[:, None] * cumulative[:, -1:]).argmax(axis=-1)


def verify(draft_probs, target_probs, draft_tokens, rng):
    """Contract chain."""
    trials, length = draft_tokens.shape
    p = np.take_along_axis(draft_probs, draft_tokens[:, :, None], axis=-1)[..., 0]
    q = np.take_along_axis(target_probs[:, :-1], draft_tokens[:, :, None], axis=-1)[..., 0]
    accepted = np.cumprod(rng.random((trials, length)) * p < q, axis=1).astype(bool)
    count = accepted.sum(axis=1)
    emitted = np.full((trials, length + 1), -1)
    emitted[:, :-1][accepted] = draft_tokens[accepted]
    emitted[np.arange(trials), count] = draw(target_probs[np.arange(trials), count], rng)
    return emitted
