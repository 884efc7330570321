"""Pairs that a coupling might break on: spans of hundreds of orders of magnitude, ties, zeros, next to nothing."""

from __future__ import annotations

import numpy as np

from specproof.theory.distribution import Array, dirichlet, softmax

_CONCENTRATIONS = (0.01, 0.05, 0.3, 1.0, 5.0)


def adversarial_pair(rng: np.random.Generator, largest: int) -> tuple[Array, Array]:
    """Draw a pair over 1..largest tokens in one of several ways to be difficult."""
    size = int(rng.integers(1, largest + 1))
    draft, target = _row(rng, size), _row(rng, size)
    twist = rng.integers(7)
    if twist == 0:  # few different ratios
        target = _normalised(draft * rng.choice([0.0, 0.5, 1.0, 1.0, 3.0], size), draft)
    elif twist == 1:  # equal up to the last digits
        target = _normalised(draft * (1.0 + 1e-15 * rng.normal(size=size)), draft)
    elif twist == 2:  # many equal entries
        draft, target = (_normalised(np.exp2(np.round(np.log2(row + 1e-300))), row) for row in (draft, target))
    return draft, target


def spread_pair(rng: np.random.Generator, num_drafts: int) -> tuple[Array, Array]:
    """Draw a pair over 2 to 5 tokens for very many drafts: each wants to lie at a height drawn evenly from [0, 1].

    Now and then one p is all but 1. The last token has next to no p and takes what q is left.
    """
    size = int(rng.integers(1, 5))
    draft = dirichlet(size, float(rng.choice(_CONCENTRATIONS)), rng) if rng.random() < 0.5 else _one_large(rng, size)
    with np.errstate(divide="ignore"):
        logs = np.log(num_drafts * draft) + (num_drafts - 1) * np.log(rng.uniform(0.02, 1.0, size))
    target = np.exp(np.clip(logs, -700.0, 0.0))
    target = np.append(target / max(target.sum(), 1.0), max(1.0 - target.sum(), 0.0))
    draft = np.append(draft, 10.0 ** rng.uniform(-12.0, -2.0))
    return draft / draft.sum(), target / target.sum()


def llm_shaped_pair(rng: np.random.Generator, tokens: int) -> tuple[Array, Array]:
    """Draw logits of a language model's spread, and a draft's that differ from them by normal noise."""
    logits = 3.0 * rng.normal(size=tokens)
    return softmax(logits + rng.normal(size=tokens)), softmax(logits)


def _one_large(rng: np.random.Generator, size: int) -> Array:
    """A law that is all but a point mass."""
    row = 10.0 ** rng.uniform(-8.0, -1.0, size)
    row[rng.integers(size)] = 1.0
    return _normalised(row, row)


def _row(rng: np.random.Generator, size: int) -> Array:
    kind = rng.integers(4)
    if kind == 0:  # evenly over all exponents of a float, denormals included
        row = 10.0 ** rng.uniform(-323.0, 0.0, size)
    elif kind == 1:  # a few large entries among tiny ones of one size
        row = np.where(rng.random(size) < 0.2, rng.random(size), 10.0 ** rng.uniform(-320.0, 0.0))
    else:
        row = dirichlet(size, float(rng.choice(_CONCENTRATIONS)), rng)
    row = np.where(rng.random(size) < rng.choice([0.0, 0.1, 0.5]), 0.0, row)
    point = np.zeros(size)
    point[rng.integers(size)] = 1.0
    return point if rng.random() < 0.05 else _normalised(row, point)


def _normalised(row: Array, otherwise: Array) -> Array:
    total = row.sum()
    return row / total if total > 1e-300 else otherwise
