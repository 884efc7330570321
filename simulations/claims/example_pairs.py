"""Named (draft, target) pairs that the one-position claims are tested on."""

from __future__ import annotations

import numpy as np

from specproof.theory.distribution import Array, bernoulli, dirichlet, uniform, zipf

_FIXED = 2023
"""Seed of the instances with random rows: they are part of a claim's definition, not of a run."""


def named_pairs() -> dict[str, tuple[Array, Array]]:
    """Return overlapping, skewed, sparse and degenerate pairs, the degenerate ones last."""
    rng = np.random.default_rng(_FIXED)
    sparse_draft, sparse_target = dirichlet(6, 1.0, rng), dirichlet(6, 1.0, rng)
    sparse_draft[0] = sparse_target[5] = 0.0
    return {
        "bernoulli": (bernoulli(0.3), bernoulli(0.65)),
        "three tokens": (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])),
        "zipf and uniform": (zipf(16), uniform(16)),
        "dirichlet": (dirichlet(32, 0.5, rng), dirichlet(32, 0.5, rng)),
        "zeros on both sides": (sparse_draft / sparse_draft.sum(), sparse_target / sparse_target.sum()),
        "equal": (zipf(8), zipf(8)),
        "disjoint": (np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.0, 0.0, 0.25, 0.75])),
        "one token": (uniform(1), uniform(1)),
    }


def random_pair(rng: np.random.Generator, largest: int) -> tuple[Array, Array]:
    """Draw a pair over 1..largest tokens: any concentration, often with zeros, now and then equal."""
    size = int(rng.integers(1, largest + 1))
    concentration = float(rng.choice([0.05, 0.3, 1.0, 5.0]))
    draft, target = (_with_zeros(dirichlet(size, concentration, rng), rng) for _ in range(2))
    return (draft, draft) if rng.random() < 0.03 else (draft, target)


def random_rows(rng: np.random.Generator, tokens: int, rows: int) -> tuple[Array, Array]:
    """Draw many pairs over ``tokens`` tokens at once, shape (rows, tokens), as varied as :func:`random_pair`."""
    kinds = [0.05, 0.3, 1.0, 5.0]
    sizes = [len(part) for part in np.array_split(np.arange(rows), len(kinds))]
    draft, target = (
        _with_zeros(np.concatenate([dirichlet(tokens, c, rng, n) for c, n in zip(kinds, sizes, strict=True)]), rng)
        for _ in range(2)
    )
    return draft, target


def _with_zeros(rows: Array, rng: np.random.Generator) -> Array:
    kept = np.where(rng.random(rows.shape) < 0.15, 0.0, rows)
    totals = kept.sum(axis=-1, keepdims=True)
    thinned: Array = np.divide(kept, totals, out=rows.copy(), where=totals > 0)
    return thinned
