"""Drawing tokens by inversion: a uniform number and rows of weights in, a token out.

One code path for NumPy arrays and torch tensors (the array API). A token of zero weight is never drawn, whatever the
uniform and however the cumulative sums are rounded.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

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
    """
    return _invert_shared(weights, uniforms) if weights.ndim == 1 else _invert_rows(weights, uniforms)


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
    last_positive = weights.shape[-1] - 1 - xp.argmax(xp.astype(xp.flip(positive, axis=-1), xp.int8), axis=-1)
    return xp.where(xp.any(above, axis=-1), first_above, last_positive)
