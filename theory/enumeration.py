"""Token-by-token speculative decoding, enumerated: every draft, every coin, every replacement."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from theory.chain import TabularModel, check_same_size
from theory.distribution import Array


class Enumeration(NamedTuple):
    """The exact law of a run of T positions over V tokens."""

    output: Array
    """Joint law of the emitted sequence, shape (V,) * T."""
    rejections: Array
    """Law of the number of rejections, shape (T+1,)."""


def enumerate_speculation(draft: TabularModel, target: TabularModel) -> Enumeration:
    """Run the algorithm on all its branches at once; for small V^T.

    A branch drafts x ~ p, accepts it with probability min(1, q(x)/p(x)), and if it does not emits y from the residual.
    Nothing is used of what the theorems say the result should be: this is what they are checked against.
    (Yin et al. 2024, Algorithm 1.)

    Raises
    ------
    InvalidInput
        If the models differ in vocabulary or horizon.
    """
    check_same_size(draft, target)
    horizon = target.horizon
    mass = np.zeros(horizon + 1)  # axes: the emitted tokens, then the number of rejections
    mass[0] = 1.0
    for proposal, law in zip(draft.conditionals, target.conditionals, strict=True):
        ratio = np.divide(law, proposal, out=np.zeros_like(law), where=proposal > 0)
        accept = np.minimum(1.0, ratio)
        excess = np.maximum(law - proposal, 0.0)
        total = excess.sum(axis=-1, keepdims=True)
        replacement = np.divide(excess, total, out=np.zeros_like(excess), where=total > 0)
        rejected = ((1.0 - accept) * proposal).sum(axis=-1, keepdims=True) * replacement
        longer = mass[..., np.newaxis, :] * (accept * proposal)[..., np.newaxis]
        longer[..., 1:] += mass[..., np.newaxis, :-1] * rejected[..., np.newaxis]
        mass = longer
    every_token = tuple(range(horizon))
    return Enumeration(mass.sum(axis=-1), mass.sum(axis=every_token))
