"""Drawing tokens by inversion: a uniform number and rows of weights in, a token out.

:func:`invert` is for arrays of trials, of NumPy or torch (the array API). Compiled loops draw one token at a time, by
:func:`quantile` in rows that :func:`cumulative_shares` has prepared, or by :func:`invert_once` where the weights change
from draw to draw. Whatever the uniform and however the cumulative sums are rounded, a token of zero weight is never
drawn; where there is no mass at all, the last token is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array

AnyArray = Any
"""A NumPy array or a torch tensor."""


def invert(weights: AnyArray, uniforms: AnyArray) -> AnyArray:
    """The token at each quantile: the smallest i with cumsum(weights)[i] > u * total.

    Parameters
    ----------
    weights : array, shape (V,) or (..., V)
        Non-negative, not necessarily summing to 1. One row shared by all draws, or one row for each.
    uniforms : array, shape (...)
        Numbers in [0, 1). With a shared row any shape; otherwise the leading shape of ``weights``.

    Returns
    -------
    array of int64, shape (...)
        Where a row has no mass at all, the last token.

    Examples
    --------
    >>> invert(np.array([0.5, 0.0, 0.5]), np.array([0.0, 0.49, 0.5, 0.99])).tolist()
    [0, 0, 2, 2]
    """
    return _invert_shared(weights, uniforms) if weights.ndim == 1 else _invert_rows(weights, uniforms)


def cumulative_shares(weights: Array) -> Array:
    """Prepare rows of weights for :func:`quantile`: cumulative shares, infinite from the last of the support on.

    Parameters
    ----------
    weights : array, shape (..., V)
        Non-negative, not necessarily summing to 1.

    Examples
    --------
    >>> cumulative_shares(np.array([1.0, 0.0, 3.0, 0.0])).tolist()
    [0.25, 0.25, inf, inf]
    """
    sums = np.cumsum(weights, axis=-1)
    shares = np.divide(sums, sums[..., -1:], out=np.zeros_like(sums), where=sums[..., -1:] > 0)
    size = weights.shape[-1]
    last = size - 1 - np.argmax((weights > 0)[..., ::-1], axis=-1, keepdims=True)
    return np.where(np.arange(size) >= last, np.inf, shares)


@compiled()
def quantile(shares: Array, uniform: float) -> int:
    """The first entry above a uniform number, in one row of :func:`cumulative_shares`.

    Examples
    --------
    >>> shares = cumulative_shares(np.array([1.0, 0.0, 3.0, 0.0]))
    >>> quantile(shares, 0.24), quantile(shares, 0.25)
    (0, 2)
    """
    first, last = 0, shares.size - 1
    while first < last:
        middle = (first + last) // 2
        if shares[middle] <= uniform:
            first = middle + 1
        else:
            last = middle
    return first


def invert_after(shares: Array, contexts: NDArray[np.int64], uniforms: Array) -> NDArray[np.int64]:
    """The token at each quantile of the row of its context: many draws from few rows.

    Parameters
    ----------
    shares : array, shape (C, V)
        Rows of :func:`cumulative_shares`.
    contexts : array of int64, shape (...)
        Which row each token is drawn from.
    uniforms : array, shape (...)

    Examples
    --------
    >>> shares = cumulative_shares(np.array([[1.0, 0.0, 3.0], [1.0, 1.0, 0.0]]))
    >>> invert_after(shares, np.array([[0, 1], [1, 0]]), np.full((2, 2), 0.25)).tolist()
    [[2, 0], [0, 2]]
    """
    tokens = np.empty(contexts.shape, dtype=np.int64)
    _invert_after(shares, np.ravel(contexts), np.ravel(uniforms), tokens.reshape(-1))
    return tokens


@compiled()
def _invert_after(shares: Array, contexts: NDArray[np.int64], uniforms: Array, tokens: NDArray[np.int64]) -> None:
    for place in range(tokens.size):
        tokens[place] = quantile(shares[contexts[place]], uniforms[place])


@compiled()
def invert_once(weights: Array, uniform: float) -> int:
    """The token at a quantile of one row of weights, without a table.

    Examples
    --------
    >>> invert_once(np.array([1.0, 0.0, 3.0, 0.0]), 0.25)
    2
    """
    reached, target, token = 0.0, uniform * weights.sum(), weights.size - 1
    for candidate in range(weights.size):
        if weights[candidate] > 0.0:
            token = candidate
            reached += weights[candidate]
            if reached > target:
                break
    return token


def gather(table: AnyArray, tokens: AnyArray) -> AnyArray:
    """Each token's entry: ``table[tokens]`` for one shared row, else ``table[..., tokens[...]]`` row by row.

    A table of shape (V,) takes tokens of any shape; one of shape (..., V) takes tokens of shape (..., k).
    """
    xp = array_namespace(table, tokens)
    if table.ndim == 1:
        return xp.reshape(xp.take(table, xp.reshape(tokens, (-1,))), tokens.shape)
    return xp.take_along_axis(table, tokens, axis=-1)


def _invert_shared(weights: AnyArray, uniforms: AnyArray) -> AnyArray:
    xp = array_namespace(weights, uniforms)
    support = xp.nonzero(weights > 0)[0]
    if support.shape[0] == 0:
        return xp.full(uniforms.shape, weights.shape[0] - 1, dtype=xp.int64, device=weights.device)
    cumulative = xp.cumulative_sum(xp.take(weights, support))
    rank = xp.searchsorted(cumulative, xp.reshape(uniforms, (-1,)) * cumulative[-1], side="right")
    return xp.reshape(xp.take(support, xp.clip(rank, max=support.shape[0] - 1)), uniforms.shape)


def _invert_rows(weights: AnyArray, uniforms: AnyArray) -> AnyArray:
    xp = array_namespace(weights, uniforms)
    cumulative = xp.cumulative_sum(weights, axis=-1)
    positive = weights > 0
    above = positive & (cumulative > xp.expand_dims(uniforms, axis=-1) * cumulative[..., -1:])
    first_above = xp.argmax(xp.astype(above, xp.int8), axis=-1)
    found = xp.any(above, axis=-1)
    if bool(xp.all(found)):  # as almost always, and then there is no need to look from the far end
        return first_above
    last_positive = weights.shape[-1] - 1 - xp.argmax(xp.astype(xp.flip(positive, axis=-1), xp.int8), axis=-1)
    return xp.where(found, first_above, last_positive)
