"""Rules that accept more than is lossless, in rational arithmetic, and pairs of distributions to try them on."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from specproof.theory.distribution import dirichlet
from specproof.theory.tradeoff import (
    relaxed_acceptance,
)

ROUNDING = 1e-14
"""A few dozen sums and products of numbers up to 1 in float64."""
EPSILONS = st.sampled_from([0.0, 5e-324, 1e-300, 1e-9, 0.1, 0.4, 1.0, 3.0, float("inf")]) | st.floats(0.0, 1.0)
Law = list[Fraction]


def rationals(row: np.ndarray) -> Law:
    exact = [Fraction(float(value)) for value in row]
    return [value / sum(exact) for value in exact]


def raised(probability: Fraction, epsilon: float) -> Fraction:
    return probability + Fraction(min(epsilon, 1.0))


def rule_in_fractions(draft: Law, target: Law, accept: Law, resampling: Law) -> tuple[Law, Fraction, Fraction]:
    """Output law, rejection and bias of the rule: accept with b, else emit from the resampling law."""
    accepted = [p * b for p, b in zip(draft, accept, strict=True)]
    rejection = 1 - sum(accepted)
    output = [a + rejection * r for a, r in zip(accepted, resampling, strict=True)]
    return output, rejection, sum((abs(a - q) for a, q in zip(output, target, strict=True)), Fraction(0)) / 2


def over_acceptance(draft: np.ndarray, target: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Anything from min(1, q/p) to 1, often at either end."""
    least = relaxed_acceptance(draft, target, 0.0)
    return np.clip(least + (1 - least) * rng.uniform(-0.2, 1.2, draft.shape), least, 1.0)


def sparse_rows(tokens: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Laws of three kinds of spikiness, a fifth of their tokens with probability zero."""
    law = np.concatenate([dirichlet(tokens, concentration, rng, rows // 3) for concentration in (0.05, 0.5, 3.0)])
    kept = np.where(rng.random(law.shape) < 0.2, 0.0, law)
    totals = kept.sum(axis=-1, keepdims=True)
    return np.divide(kept, totals, out=law, where=totals > 0)
