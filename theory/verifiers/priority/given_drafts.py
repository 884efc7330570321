"""The priority coupling for given drafts: which of them is accepted, with what probability, at any vocabulary size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specproof.theory.distribution import Array
from specproof.theory.verifiers.priority.coupling import PriorityCoupling
from specproof.theory.verifiers.priority.tiling import Tiling
from specproof.theory.verifiers.priority.winning import winning_chances
from specproof.theory.verifiers.single import single_given


def priority_given(draft: Array, target: Array, drafts: NDArray[np.int64]) -> Array:
    """The rule for given drafts, shape (N, k): the highest priority wins and is kept with probability theta.

    The sets are cut once, and of each row those of its tokens are swept; a single draft always wins. Parameters are
    those of :data:`specproof.theory.verifiers.registry.GivenDrafts`.

    Examples
    --------
    Equal laws: each of two drafts of one token wins with probability 1/2, and is kept.

    >>> priority_given(np.array([0.5, 0.5]), np.array([0.5, 0.5]), np.array([[0, 0]])).tolist()
    [[0.5, 0.5]]
    """
    if drafts.shape[1] == 1:
        return single_given(draft, target, drafts)
    coupling = PriorityCoupling(draft, target, drafts.shape[1])
    sets, rates = coupling.intervals, coupling.rates[np.newaxis]
    tiling = Tiling(sets.starts, sets.lengths, sets.tokens, sets.offsets, coupling.first_interval, rates)
    won = np.concatenate([winning_chances(tiling, row) for row in drafts[:, np.newaxis]])
    accepted: Array = won * coupling.thinning[drafts]
    return accepted
