"""Which draft each verifier accepts, given all of them: the rules as they are written, without a law of the drafts.

Nothing is shared with the closed forms of :mod:`specproof.theory.verifiers.agreement`, which are checked against these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from specproof.theory.distribution import Array, residual
from specproof.theory.verifiers.kseq.law import division_factor
from specproof.theory.verifiers.priority import PriorityCoupling

Kernel = Callable[[Array, Array, NDArray[np.int64]], Array]
"""``kernel(draft, target, drafts)``, shapes (V,), (V,) and (N, k): the chance that each draft is accepted, (N, k).

What a row lacks to 1 is the chance that all are rejected. Laws and drafts are trusted: every token can be drafted.
"""


def single_given(draft: Array, target: Array, drafts: NDArray[np.int64]) -> Array:
    """Accept the first draft with probability min(1, q/p). (Leviathan et al. 2023, Algorithm 1)."""
    accepted = np.zeros(drafts.shape)
    accepted[:, 0] = _coin(draft, target)[drafts[:, 0]]
    return accepted


def kseq_given(draft: Array, target: Array, drafts: NDArray[np.int64]) -> Array:
    """Accept in order with probability min(1, q/(rho* p)). (Sun et al. 2023, Algorithm 2)."""
    coins = _coin(draft, target / division_factor(draft, target, drafts.shape[1]))
    return _in_order(coins[drafts])


def recursive_given(draft: Array, target: Array, drafts: NDArray[np.int64]) -> Array:
    """Accept in order with probability min(1, q^m/p), q^m the residual of q^(m-1). (Yin et al. 2024, Algorithm 3)."""
    coins, law = np.empty(drafts.shape), target
    for place in range(drafts.shape[1]):
        coins[:, place] = _coin(draft, law)[drafts[:, place]]
        left = residual(draft, law)
        law = left if left.any() else law
    return _in_order(coins)


def priority_given(draft: Array, target: Array, drafts: NDArray[np.int64]) -> Array:
    r"""Let the highest priority win and keep it with probability theta.

    With :math:`F_i` the distribution function of a priority from the set of token i, draft l wins with probability
    :math:`\int \prod_{h \ne l} F_{x_h} dF_{x_l}`, a polynomial of degree k - 1 on each interval, which k Gauss-Legendre
    nodes integrate exactly.
    """
    count = drafts.shape[1]
    coupling = PriorityCoupling(draft, target, count)
    sets = coupling.intervals
    nodes, shares = np.polynomial.legendre.leggauss(count)
    priority = sets.starts[:, np.newaxis] + sets.lengths[:, np.newaxis] * (nodes + 1) / 2
    owner = np.arange(draft.size)[:, np.newaxis] == sets.tokens
    size = np.maximum(owner @ sets.lengths, np.finfo(float).tiny)[:, np.newaxis]
    covered = np.clip(priority[..., np.newaxis] - sets.starts, 0.0, sets.lengths)
    below = np.einsum("vi,eni->ven", owner, covered) / size[..., np.newaxis]
    mass = (owner * sets.lengths / size)[..., np.newaxis] * shares / 2
    accepted = np.empty(drafts.shape)
    for place in range(count):
        others = below[np.delete(drafts, place, axis=1)].prod(axis=1)
        token = drafts[:, place]
        accepted[:, place] = (others * mass[token]).sum(axis=(1, 2)) * coupling.thinning[token]
    return accepted


KERNELS: Mapping[str, Kernel] = MappingProxyType(
    {"single": single_given, "kseq": kseq_given, "recursive": recursive_given, "priority": priority_given}
)
"""By the names of :data:`specproof.theory.verifiers.VERIFIERS`."""


def _coin(draft: Array, target: Array) -> Array:
    with np.errstate(over="ignore"):  # a quotient past the largest float is infinite, and accepted for sure
        ratio = np.divide(target, draft, out=np.zeros_like(target), where=draft > 0)
    return np.minimum(ratio, 1.0)


def _in_order(coins: Array) -> Array:
    """The chance that each coin is the first to succeed."""
    missed = np.cumprod(1.0 - coins, axis=1)
    return coins * np.concatenate((np.ones((coins.shape[0], 1)), missed[:, :-1]), axis=1)
