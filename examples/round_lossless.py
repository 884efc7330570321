"""Lossless: draft while the draft model is sure of what comes next, before it is drawn, and verify token by token."""

import numpy as np

from specproof.conformance import next_token_law


def round(draft_model, target_model, prefix, length, rng):
    """Contract round, one trial at a time."""
    emitted = np.full((len(prefix), length + 1), -1)
    for row, text in zip(emitted, prefix, strict=True):
        tokens, place = list(text), 0
        while place < length:
            p, q = (next_token_law(model, [tokens])[0] for model in (draft_model, target_model))
            if p.max() < 0.5:
                break
            token = rng.choice(len(p), p=p)
            if rng.random() * p[token] >= q[token]:
                residual = np.maximum(q - p, 0)
                row[place] = rng.choice(len(q), p=residual / residual.sum())
                break
            row[place] = token
            tokens.append(token)
            place += 1
        if row[place] < 0:
            q = next_token_law(target_model, [tokens])[0]
            row[place] = rng.choice(len(q), p=q)
    return emitted
