"""A toy engine: samplers of drafts, of a tree and of a whole round, and a fast path that is broken."""

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


def walk(tokens, parents, rows_q, rng):
    """Walk down a tree from node 0: each token comes from the target, and the walk goes on at the child that has it."""
    every = np.arange(len(tokens))
    node, going, emitted = np.zeros(len(tokens), int), np.ones(len(tokens), bool), []
    while going.any():
        token = sample(rows_q[every, node], rng)
        emitted.append(np.where(going, token, -1))
        child = (parents == node[:, None]) & (tokens == token[:, None])
        going &= child.any(axis=1)
        node = child.argmax(axis=1)
    return np.stack(emitted, axis=1)


def speculate(draft, target, text, length, rng):
    """A round: draft tokens one by one, then verify them; draft and target are forward passes."""
    start, rows_p, rows_q = text.shape[1], [], [target(text)]
    for _ in range(length):
        rows_p.append(draft(text))
        text = np.column_stack([text, sample(rows_p[-1], rng)])
        rows_q.append(target(text))
    emitted, going = np.full((len(text), length + 1), -1), np.ones(len(text), bool)
    for place in range(length):
        token, index = pick(rows_p[place], rows_q[place], text[:, start + place, None], rng)
        emitted[going, place] = token[going]
        going &= index >= 0
    emitted[going, length] = sample(rows_q[length], rng)[going]
    return emitted
