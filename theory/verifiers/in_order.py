r"""Rules that try the drafts in order: what follows from the chances of the single tries.

Such a rule is given by its *chances*, shape (k, ..., V): the probability :math:`m^l_i \le p_i` that draft l is token i
and accepted, given that it is tried. Then, with :math:`r^l_i = p_i - m^l_i` and :math:`s^l_i = \sum_{a \ne i} r^l_a`,
the probability that token i is accepted and that exactly j of the k drafts are token i, wherever they stand, is the
coefficient of :math:`z^j` in

.. math:: \sum_{l=1}^k \prod_{h<l} (r^h_i z + s^h_i) \; m^l_i z \; (p_i z + 1 - p_i)^{k-l}:

what stands before the accepted draft was rejected, and what stands after it was never looked at.
"""

from __future__ import annotations

import numpy as np

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array


def agreement_in_order(draft: Array, chances: Array) -> Array:
    """The probability that token i is accepted and j = 1..k drafts carry it, shape (..., V, k).

    The polynomials of the module's formula are multiplied out from the last draft to the first, O(V k^2) a row.

    Parameters
    ----------
    draft : array, shape (..., V)
        The law of every draft, trusted.
    chances : array, shape (k, ..., V)
        What the l-th draft has of being token i and accepted, once it is tried; trusted to be at most ``draft``.

    Examples
    --------
    Two drafts of a fair coin, accepted at once if they are heads:

    >>> agreement_in_order(np.array([0.5, 0.5]), np.array([[0.5, 0.0], [0.5, 0.0]])).tolist()
    [[0.5, 0.25], [0.0, 0.0]]
    """
    rejected = np.maximum(draft - chances, 0.0)
    others = np.maximum(rejected.sum(axis=-1, keepdims=True) - rejected, 0.0)
    unseen = np.zeros((*draft.shape, chances.shape[0] + 1))
    unseen[..., 0] = 1.0
    found = np.zeros_like(unseen)
    for index in reversed(range(chances.shape[0])):
        found = _times(rejected[index], others[index], found) + _times(chances[index], np.zeros(()), unseen)
        unseen = _times(draft, 1.0 - draft, unseen)
    return found[..., 1:]


@compiled()
def agreement_along(draft: Array, chances: Array, rejected: Array) -> Array:
    """The same at one token of each of n rows, with k = 1..K drafts that have the first k chances, shape (n, K, K).

    The polynomials of the module's formula are multiplied out from the first draft to the last, O(K^2) a row.

    Parameters
    ----------
    draft : array, shape (n,)
        The probability p of the token, trusted.
    chances : array, shape (n, K)
        The probability m of the l-th draft to be the token and accepted, once it is tried; trusted to be at most p.
    rejected : array, shape (n, K)
        The probability that the l-th draft is rejected once it is tried, whatever token it is.

    Returns
    -------
    array, shape (n, K, K)
        Entry [i, k-1, j-1] belongs to k drafts, of which j carry the token.

    Examples
    --------
    The draws of the example above, at heads:

    >>> agreement_along(np.array([0.5]), np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]])).tolist()
    [[[0.5, 0.0], [0.5, 0.25]]]
    """
    rows, count = chances.shape
    joint = np.zeros((rows, count, count))
    for row in range(rows):
        passed, found = np.zeros(count + 1), np.zeros(count + 1)
        passed[0] = 1.0
        for index in range(count):
            _try_one(draft[row], chances[row, index], rejected[row, index], passed, found)
            joint[row, index] = found[1:]
    return joint


@compiled()
def agreement_of_equal_tries(draft: Array, chances: Array, rejected: Array) -> Array:
    """The same for k = 1..K drafts that all have the k-th chance, shape (n, K, K); O(K^3) a row.

    Parameters are those of :func:`agreement_along`, the k-th chance and rejection being those of each of k drafts.

    Examples
    --------
    >>> chances = np.array([[0.5, 0.25]])
    >>> agreement_of_equal_tries(np.array([0.5]), chances, 1.0 - chances).tolist()
    [[[0.5, 0.0], [0.25, 0.1875]]]
    """
    rows, count = chances.shape
    joint = np.zeros((rows, count, count))
    for row in range(rows):
        for index in range(count):
            passed, found = np.zeros(index + 2), np.zeros(index + 2)
            passed[0] = 1.0
            for _ in range(index + 1):
                _try_one(draft[row], chances[row, index], rejected[row, index], passed, found)
            joint[row, index, : index + 1] = found[1:]
    return joint


@compiled()
def _try_one(proposed: float, chance: float, rejected: float, passed: Array, found: Array) -> None:
    """Multiply in one more draft: the polynomials of those that reject all, and of those that have accepted."""
    own = max(proposed - chance, 0.0)
    others = max(rejected - own, 0.0)
    for carried in range(passed.size - 1, 0, -1):
        accepted = (1.0 - proposed) * found[carried] + proposed * found[carried - 1]
        found[carried] = accepted + chance * passed[carried - 1]
        passed[carried] = others * passed[carried] + own * passed[carried - 1]
    passed[0] *= others


def first_success(chances: Array) -> Array:
    """The chance that each try is the first to succeed, from the chances of the tries, both of shape (N, k).

    Examples
    --------
    >>> first_success(np.array([[0.5, 0.5, 1.0]])).tolist()
    [[0.5, 0.25, 0.25]]
    """
    missed = np.cumprod(1.0 - chances, axis=1)
    return chances * np.concatenate((np.ones((chances.shape[0], 1)), missed[:, :-1]), axis=1)


def _times(linear: Array, constant: Array, polynomial: Array) -> Array:
    """(linear z + constant) times a polynomial of a degree that leaves room for it, coefficients on the last axis."""
    product: Array = constant[..., np.newaxis] * polynomial
    product[..., 1:] += linear[..., np.newaxis] * polynomial[..., :-1]
    return product
