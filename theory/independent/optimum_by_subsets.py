"""The minimum over all 2^V sets of tokens, for drafts of any law: exponential, and therefore beyond doubt."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.transport.draft_sets import DraftSets
from specproof.theory.transport.membership_lp import target_of

LARGEST_LATTICE = 22
"""Sets of at most this many tokens are all tried: 4 million sets, a hundred megabytes."""


class SubsetMinimum(NamedTuple):
    """The optimal acceptance, and a set that proves that nothing is above it."""

    acceptance: float
    dual_set: NDArray[np.bool_]
    """This is the set A, shape (V,)."""


def optimum_by_subsets(drafts: DraftSets, target: ArrayLike) -> SubsetMinimum:
    r"""The optimum by its subset formula, :math:`1 + \min_A [q(A) - P(set(X) \subseteq A)]`, with every set tried.

    This is the minimum cut of the transport problem, for any joint law of the drafts. :math:`P(set(X) \subseteq A)` is
    the sum of P(set(X) = s) over the subsets s of A, for all A at once in V passes (Yates 1937). (Hu et al. 2025,
    arXiv 2502.18779.)

    Parameters
    ----------
    drafts : DraftSets
    target : array_like, shape (V,)

    Raises
    ------
    InvalidInput
        If the drafts are no DraftSets, the target is not one distribution over their vocabulary, or
        V > ``LARGEST_LATTICE``.

    References
    ----------
    .. [1] Hu et al. 2025, Towards Optimal Multi-draft Speculative Decoding, arXiv 2502.18779.
    .. [2] Yates 1937, The Design and Analysis of Factorial Experiments.

    Examples
    --------
    >>> from specproof.theory.transport import DraftSets
    >>> round(optimum_by_subsets(DraftSets.iid([0.5, 0.3, 0.2], 2), [0.2, 0.3, 0.5]).acceptance, 12)
    0.86
    """
    law = target_of(drafts, target)
    if law.size > LARGEST_LATTICE:
        raise InvalidInput(
            f"target has {law.size} tokens, and trying all sets of them stops at {LARGEST_LATTICE}: use optimal_plan"
        )
    masks = [sum(1 << token for token in drawn) for drawn in drafts.sets]
    contained = np.bincount(masks, weights=drafts.probability, minlength=1 << law.size).astype(np.float64)
    _add_over_subsets(contained)
    emitted = np.zeros(1)
    for mass in law:
        emitted = np.concatenate([emitted, emitted + mass])
    values = emitted - contained
    best = int(values.argmin())
    members = (best >> np.arange(law.size) & 1).astype(bool)
    return SubsetMinimum(float(1.0 + values[best]), members)


def _add_over_subsets(values: Array) -> None:
    """Replace f(A) by the sum of f over all subsets of A, in place; bit i of the index says whether i is in A."""
    width = 1
    while width < values.size:
        halves = values.reshape(-1, 2, width)
        halves[:, 1] += halves[:, 0]
        width *= 2
