"""Token-by-token speculative decoding, enumerated: every draft, every acceptance or rejection, every replacement."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from specproof.theory.chain import TabularModel, check_same_size
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts


class Enumeration(NamedTuple):
    """The exact law of a run of T positions over V tokens."""

    output: Array
    """This is the joint law of the emitted sequence, shape (V,) * T."""
    rejections: Array
    """This is the law of the number of rejections, shape (T+1,)."""


def runs_by_enumeration(draft: TabularModel, target: TabularModel, num_drafts: int = 1) -> Enumeration:
    """Run the algorithm on all its branches at once; for small V^T.

    A branch drafts x ~ p, accepts it with probability min(1, q(x)/p(x)), and if it does not emits y from the residual.
    With several drafts, M of them are tried in turn at the start and after each rejection, every one against the
    residual of the one before; an accepted one is followed alone until its next rejection. Nothing is used of what the
    theorems say the result should be: this is what they are checked against. Even min(1, q/p) is written anew here, so
    that a slip in the shared function would be seen [1]_.

    Raises
    ------
    InvalidInput
        If the models differ in vocabulary or horizon or are not tabular, or num_drafts is not an integer >= 1.

    References
    ----------
    .. [1] Yin et al. 2024, A Theoretical Perspective for Speculative Decoding Algorithm, Algorithms 1 and 3.

    Examples
    --------
    >>> draft, target = TabularModel([np.array([0.5, 0.5])]), TabularModel([np.array([0.25, 0.75])])
    >>> run = runs_by_enumeration(draft, target)
    >>> run.output.tolist(), run.rejections.tolist()
    ([0.25, 0.75], [0.75, 0.25])
    """
    check_same_size(draft, target, TabularModel)
    count, horizon = one_num_drafts(num_drafts), target.horizon
    # Axes: the emitted tokens, then the number of rejections. A batch is fresh at the start and after a rejection.
    fresh, followed = np.zeros(horizon + 1), np.zeros(horizon + 1)
    fresh[0] = 1.0
    for proposal, law in zip(draft.conditionals, target.conditionals, strict=True):
        batch, single = _tries(proposal, law, count), _tries(proposal, law, 1)
        rejected = _extend(fresh, batch.rejected) + _extend(followed, single.rejected)
        followed = _extend(fresh, batch.accepted) + _extend(followed, single.accepted)
        fresh = np.zeros_like(rejected)
        fresh[..., 1:] = rejected[..., :-1]
    mass = fresh + followed
    every_token = tuple(range(horizon))
    # Rounding may take a probability of 1 past it by a few units in the last place.
    return Enumeration(mass.sum(axis=-1), np.minimum(mass.sum(axis=every_token), 1.0))


class _Tries(NamedTuple):
    accepted: Array
    """The probability that some draft is accepted and is this token has shape (..., V)."""
    rejected: Array
    """The probability that all fail and this token is emitted instead has shape (..., V)."""


def _tries(proposal: Array, law: Array, num_drafts: int) -> _Tries:
    """Follow the branches of one position: each draft against the residual of the one before, shape (..., V)."""
    accepted, reached = np.zeros_like(law), np.ones((*law.shape[:-1], 1))
    current = law
    for _ in range(num_drafts):
        with np.errstate(over="ignore"):  # a quotient past the largest float is infinite, and accepted for sure
            ratio = np.divide(current, proposal, out=np.zeros_like(law), where=proposal > 0)
        accept = np.minimum(1.0, ratio)
        excess = np.maximum(current - proposal, 0.0)
        total = excess.sum(axis=-1, keepdims=True)
        accepted = accepted + reached * accept * proposal
        reached = reached * ((1.0 - accept) * proposal).sum(axis=-1, keepdims=True)
        current = np.divide(excess, total, out=np.zeros_like(excess), where=total > 0)
    return _Tries(accepted, reached * current)


def _extend(mass: Array, law: Array) -> Array:
    """Append one token to every branch."""
    return mass[..., np.newaxis, :] * law[..., np.newaxis]
