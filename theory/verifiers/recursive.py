r"""Recursive rejection sampling with replacement: i.i.d. drafts tried in turn against what is left of the target.

Write :math:`q^1 = q` and :math:`q^{m+1} = [q^m - p]_+ / TV(q^m, p)`. Draft m is accepted with probability
:math:`\min(1, q^m/p)`; when all fail, the token comes from :math:`q^{k+1}`. (Miao et al. 2023, SpecInfer, multi-step
speculative sampling; the first position of a batch in Yin et al. 2024, Algorithm 3.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.distribution import Array, as_pair, normalise_or_zero
from specproof.theory.drafts import one_num_drafts
from specproof.theory.verifiers.selection_law import SelectionLaw


def recursive_rejection(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> SelectionLaw:
    r"""The exact law of recursive rejection with k i.i.d. drafts; acceptance is :math:`1 - \prod_{m \le k} TV(q^m, p)`.

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
    num_drafts : int
        k >= 1.

    Raises
    ------
    InvalidInput
        If an argument is not a distribution, the two do not match, or k is not an integer >= 1.
    """
    draft_rows, target_rows = as_pair(draft, target)
    left = remainder(draft_rows, target_rows, one_num_drafts(num_drafts))
    acceptance = np.maximum(1.0 - left.sum(axis=-1), 0.0)
    return SelectionLaw(target_rows - left, normalise_or_zero(left), acceptance)


def remainder(draft: Array, target: Array, num_drafts: int) -> Array:
    r"""What k drafts leave of the target, :math:`u^{k+1} = q^{k+1} \prod_{m \le k} TV(q^m, p)`, shape (..., V).

    Without the quotients the recursion is :math:`u^{m+1} = [u^m - |u^m|\,p]_+`, and nothing is ever 0/0. The
    first step takes :math:`|q|` for 1, so that rounding in its sum leaves nothing where q = p.
    """
    left, offered = target, draft
    for _ in range(num_drafts):
        smaller = np.maximum(left - offered, 0.0)
        if np.array_equal(smaller, left):  # and so it stays: nothing is left, or nothing of it is ever drafted
            break
        left, offered = smaller, smaller.sum(axis=-1, keepdims=True) * draft
    return left


def remainder_limit(draft: Array, target: Array) -> Array:
    r"""The limit of :func:`remainder` as k grows: q where p = 0, and nothing else, shape (..., V).

    A token that can be drafted loses at least :math:`q(p=0)\,p_i` a step. If that is positive it is gone after
    finitely many steps; if not, the mass itself tends to 0, as u keeps no support.
    """
    return np.where(draft > 0, 0.0, target)
