"""Broken: the first drafted token of each round is committed without any test."""

import numpy as np

from specproof.conformance import next_token_law


def generate(draft_model, target_model, prompt, length, n, rng):
    """Contract generate: rounds of two drafted tokens, all rows of a batch in step."""
    tokens = np.tile(np.array(prompt, dtype=np.int64), (n, 1))
    while tokens.shape[1] < len(prompt) + length:
        model = draft_model if (tokens.shape[1] - len(prompt)) % 2 == 0 else target_model
        law = np.cumsum(next_token_law(model, tokens), axis=1)
        drawn = (law > rng.random(n)[:, None] * law[:, -1:]).argmax(axis=1)
        tokens = np.concatenate([tokens, drawn[:, None]], axis=1)
    return tokens[:, len(prompt) :]
