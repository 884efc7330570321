"""The priority coupling for given drafts by integrals: which of them is accepted, for all drafts of a small pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specproof.theory.distribution import Array
from specproof.theory.verifiers.priority.coupling import PriorityCoupling


def priority_by_quadrature(draft: Array, target: Array, drafts: NDArray[np.int64]) -> Array:
    r"""The rule for given drafts, shape (N, k): the highest priority wins and is kept with probability theta.

    With :math:`F_i` the distribution function of a priority from the set of token i, draft l wins with probability
    :math:`\int \prod_{h \ne l} F_{x_h} dF_{x_l}`, a polynomial of degree k - 1 on each interval, which k Gauss-Legendre
    nodes integrate exactly. Parameters are those of :data:`specproof.theory.verifiers.registry.GivenDrafts`.

    Examples
    --------
    Equal laws: each of two drafts of one token wins with probability 1/2, and is kept.

    >>> priority_by_quadrature(np.array([0.5, 0.5]), np.array([0.5, 0.5]), np.array([[0, 0]])).round(12).tolist()
    [[0.5, 0.5]]
    """
    count = drafts.shape[1]
    coupling = PriorityCoupling(draft, target, count)
    sets = coupling.intervals
    nodes, shares = np.polynomial.legendre.leggauss(count)
    places = (nodes + 1) / 2  # of the nodes in each interval, whose length is 1
    # Where a node lies in its own interval is known better than as a difference of two numbers near 1.
    priority = sets.starts[:, np.newaxis] + sets.lengths[:, np.newaxis] * places
    covered = np.clip(priority[..., np.newaxis] - sets.starts, 0.0, sets.lengths)
    own = np.arange(sets.lengths.size)
    covered[own, :, own] = sets.lengths[:, np.newaxis] * places
    owner = np.arange(draft.size)[:, np.newaxis] == sets.tokens
    size = np.maximum(owner @ sets.lengths, np.finfo(float).tiny)[:, np.newaxis]
    below = np.einsum("vi,eni->ven", owner, covered) / size[..., np.newaxis]
    mass = (owner * sets.lengths / size)[..., np.newaxis] * shares / 2
    accepted = np.empty(drafts.shape)
    for place in range(count):
        others = below[np.delete(drafts, place, axis=1)].prod(axis=1)
        token = drafts[:, place]
        accepted[:, place] = (others * mass[token]).sum(axis=(1, 2)) * coupling.thinning[token]
    return accepted
