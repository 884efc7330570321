"""Broken: one acceptance uniform for the whole batch; each row alone is right."""

import numpy as np


def verify(draft_probs, target_probs, draft_tokens, rng):
    """Contract chain: accepts with one uniform a position, replaces row by row."""
    trials, length = draft_tokens.shape
    uniforms = rng.random(length)
    emitted = np.full((trials, length + 1), -1)
    for row in range(trials):
        for position, token in enumerate(draft_tokens[row]):
            p, q = draft_probs[row, position], target_probs[row, position]
            if uniforms[position] * p[token] >= q[token]:
                residual = np.maximum(q - p, 0)
                law = residual / residual.sum() if residual.sum() else q
                emitted[row, position] = rng.choice(len(law), p=law)
                break
            emitted[row, position] = token
        else:
            emitted[row, length] = rng.choice(target_probs.shape[2], p=target_probs[row, length])
    return emitted
