"""A toy engine: two samplers of its own, one of them broken."""

import numpy as np


def sample(weights, rng):
    """One token for each row of weights."""
    cumulative = np.cumsum(weights, axis=-1)
    return (cumulative > rng.random(len(weights))[:, None] * cumulative[:, -1:]).argmax(axis=-1)


def pick(rows_p, rows_q, drafts, rng):
    """Try the drafts of a position in turn, each against what the earlier ones left of the target."""
    trials, _ = rows_q.shape
    left, every = rows_q.copy(), np.arange(trials)
    token, index = np.full(trials, -1), np.full(trials, -1)
    for place in range(drafts.shape[1]):
        draft = drafts[:, place]
        open_ = index < 0
        accept = open_ & (rng.random(trials) * rows_p[every, draft] < left[every, draft])
        token[accept], index[accept] = draft[accept], place
        residual = np.maximum(left - rows_p, 0.0)
        mass = residual.sum(axis=1, keepdims=True)
        rejected = (open_ & ~accept)[:, None] & (mass > 0)
        left = np.where(rejected, residual / np.where(mass > 0, mass, 1.0), left)
    rest = index < 0
    token[rest] = sample(left[rest], rng)
    return token, index


def pick_fast(rows_p, rows_q, drafts, rng):
    """Broken: what is emitted when all drafts are rejected comes from the target, not from the residual."""
    token, index = pick(rows_p, rows_q, drafts, rng)
    rest = index < 0
    token[rest] = sample(rows_q[rest], rng)
    return token, index
