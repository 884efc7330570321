r"""How many of k i.i.d. drafts carry the token that was accepted: for each verifier, an array of shape (..., V, k).

Entry (i, j-1) is the probability that token i is accepted and that exactly j of the k drafts are token i, wherever they
stand. Summed over j it is :attr:`specproof.theory.verifiers.selection_law.SelectionLaw.accepted`.

The rules here try the drafts in order. Such a rule is given by its *chances*, shape (k, ..., V): the probability
:math:`m^l_i \le p_i` that draft l is token i and accepted, given that it is tried. Then, with
:math:`r^l_i = p_i - m^l_i` and :math:`s^l_i = \sum_{a \ne i} r^l_a`, the wanted numbers are the coefficients of
:math:`z^1, ..., z^k` in

.. math:: \sum_{l=1}^k \prod_{h<l} (r^h_i z + s^h_i) \; m^l_i z \; (p_i z + 1 - p_i)^{k-l}:

what stands before the accepted draft was rejected, and what stands after it was never looked at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.distribution import Array, as_pair, normalise_or_zero
from specproof.theory.drafts import one_num_drafts
from specproof.theory.verifiers.kseq.law import division_factor


def single_agreement(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    """Try the first draft alone, with chance min(p, q).

    (Leviathan et al. 2023, Algorithm 1.)

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
    chances = np.zeros((one_num_drafts(num_drafts), *draft_rows.shape))
    chances[0] = np.minimum(draft_rows, target_rows)
    return _carriers(draft_rows, chances)


def kseq_agreement(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    """K-SEQ at rho*: each draft has the chance min(p, q/rho*).

    Parameters and errors are those of :func:`single_agreement`. (Sun et al. 2023, Algorithm 2.)
    """
    draft_rows, target_rows = as_pair(draft, target)
    count = one_num_drafts(num_drafts)
    rho = division_factor(draft_rows, target_rows, count)
    once = np.minimum(draft_rows, target_rows / rho[..., np.newaxis])
    return _carriers(draft_rows, np.broadcast_to(once, (count, *once.shape)))


def recursive_agreement(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    """Recursive rejection: draft m has the chance min(p, q^m), each q^m the residual of the one before.

    Where nothing is left of the target no further draft is tried. Parameters and errors are those of
    :func:`single_agreement`. (Miao et al. 2023; Yin et al. 2024, Algorithm 3.)
    """
    draft_rows, left = as_pair(draft, target)
    chances = np.empty((one_num_drafts(num_drafts), *draft_rows.shape))
    for chance in chances:
        np.minimum(draft_rows, left, out=chance)
        left = normalise_or_zero(np.maximum(left - draft_rows, 0.0))
    return _carriers(draft_rows, chances)


def _carriers(draft: Array, chances: Array) -> Array:
    """Multiply the polynomials of the module's formula out, from the last draft to the first, shape (..., V, k)."""
    rejected = np.maximum(draft - chances, 0.0)
    others = np.maximum(rejected.sum(axis=-1, keepdims=True) - rejected, 0.0)
    unseen = np.zeros((*draft.shape, chances.shape[0] + 1))
    unseen[..., 0] = 1.0
    found = np.zeros_like(unseen)
    for index in reversed(range(chances.shape[0])):
        found = _times(rejected[index], others[index], found) + _times(chances[index], np.zeros(()), unseen)
        unseen = _times(draft, 1.0 - draft, unseen)
    return found[..., 1:]


def _times(linear: Array, constant: Array, polynomial: Array) -> Array:
    """(linear z + constant) times a polynomial of a degree that leaves room for it, coefficients on the last axis."""
    product: Array = constant[..., np.newaxis] * polynomial
    product[..., 1:] += linear[..., np.newaxis] * polynomial[..., :-1]
    return product
