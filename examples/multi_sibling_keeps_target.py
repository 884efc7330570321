"""Broken: after a rejection the next draft is tested against the old target, not against the residual."""

import numpy as np


def verify(draft_probs, target_probs, draft_tokens, rng):
    """Contract multi."""
    rows = np.arange(len(draft_tokens))
    emitted, accepted = np.full(len(rows), -1), np.full(len(rows), -1)
    for index in range(draft_tokens.shape[1]):
        token = draft_tokens[:, index]
        passed = (accepted < 0) & (rng.random(len(rows)) * draft_probs[rows, token] < target_probs[rows, token])
        emitted[passed], accepted[passed] = token[passed], index
    residual = np.maximum(target_probs - draft_probs, 0)
    empty = residual.sum(axis=1) == 0
    residual[empty] = target_probs[empty]
    cumulative = np.cumsum(residual, axis=1)
    drawn = (cumulative > rng.random(len(rows))[:, None] * cumulative[:, -1:]).argmax(axis=1)
    return np.where(accepted < 0, drawn, emitted), accepted
