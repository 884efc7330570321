"""Broken: the bonus token is drawn from the row before, as if the last draft had not been accepted."""

import numpy as np


def verify(draft_probs, target_probs, draft_tokens, rng):
    """Contract chain, one trial at a time."""
    emitted = np.full((len(draft_tokens), draft_tokens.shape[1] + 1), -1)
    for row, (drafts, p, q) in enumerate(zip(draft_tokens, draft_probs, target_probs, strict=True)):
        for position, token in enumerate(drafts):
            if rng.random() * p[position, token] >= q[position, token]:
                residual = np.maximum(q[position] - p[position], 0)
                law = residual / residual.sum() if residual.sum() else q[position]
                emitted[row, position] = rng.choice(len(law), p=law)
                break
            emitted[row, position] = token
        else:
            emitted[row, -1] = rng.choice(q.shape[1], p=q[-2])
    return emitted
