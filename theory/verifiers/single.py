"""One draft, accepted or replaced: the maximal coupling of a draft law with the target."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.distribution import as_pair, normalise_or_zero
from specproof.theory.verifiers.selection_law import SelectionLaw


def maximal_coupling(draft: ArrayLike, target: ArrayLike) -> SelectionLaw:
    r"""Accept x ~ p with probability min(1, q(x)/p(x)), else emit from the residual [q - p]+.

    The output law is exactly q and the acceptance is :math:`\sum_i \min(p_i, q_i) = 1 - TV(p, q)`, which no coupling
    of p and q exceeds. (Leviathan et al. 2023, Algorithm 1; Sun et al. 2023, Algorithm 1.)

    Parameters
    ----------
    draft, target : array_like, shape (..., V)

    Raises
    ------
    InvalidInput
        If either is not a distribution or the two do not match.
    """
    draft_rows, target_rows = as_pair(draft, target)
    accepted = np.minimum(draft_rows, target_rows)
    replaced = normalise_or_zero(np.maximum(target_rows - draft_rows, 0.0))
    return SelectionLaw(accepted, replaced, np.minimum(accepted.sum(axis=-1), 1.0))
