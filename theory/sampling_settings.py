"""How logits become the distribution that tokens are sampled from: temperature, top-k, top-p, min-p."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array

from specproof.theory.arrays import as_real
from specproof.theory.errors import InvalidInput, entry
from specproof.theory.integers import natural_number
from specproof.theory.numbers import positive_number, positive_share, share_below_one

AnyArray = Any
"""A NumPy array or a torch tensor."""

CHUNK_ENTRIES = 2**18
"""Rows are worked on together until they have this many entries, so that no second array of all of them is made."""


@dataclass(frozen=True)
class SamplingSettings:
    r"""Settings of a sampler, applied in this order, which is that of Hugging Face transformers.

    Each setting but the temperature sets probabilities to 0, and the others are divided by their sum. Its own default
    switches it off. At least one token is always left.

    Attributes
    ----------
    temperature : float
        The logits are divided by :math:`\tau > 0` before the softmax. Greedy decoding is ``top_k=1`` instead.
    top_k : int
        Tokens less likely than the k-th likeliest go; tokens as likely as it stay. With 0 all stay.
    top_p : float
        In ascending order of probability, tokens go as long as the sum of what has gone is at most
        :math:`1 - \mathrm{top\_p}`, in (0, 1]. Of equally likely tokens those of smaller ids stay, of which
        transformers keep any.
    min_p : float
        Tokens less likely than this share of the likeliest token's probability go, in [0, 1).

    Raises
    ------
    InvalidInput
        If a setting is not a number of its range.

    References
    ----------
    .. [1] A. Fan, M. Lewis, Y. Dauphin. Hierarchical Neural Story Generation. ACL 2018, arXiv:1805.04833 (top-k).
    .. [2] A. Holtzman et al. The Curious Case of Neural Text Degeneration. ICLR 2020, arXiv:1904.09751 (top-p).
    .. [3] M. N. Nguyen et al. Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM Outputs. ICLR 2025,
       arXiv:2407.01082.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.theory import SamplingSettings
    >>> logits = np.log([0.4, 0.3, 0.2, 0.1])
    >>> SamplingSettings(top_k=3).distribution(logits).round(4).tolist()
    [0.4444, 0.3333, 0.2222, 0.0]
    >>> SamplingSettings(temperature=0.5, top_p=0.6).distribution(logits).round(4).tolist()
    [0.64, 0.36, 0.0, 0.0]
    >>> SamplingSettings(min_p=0.6).distribution(logits).round(4).tolist()
    [0.5714, 0.4286, 0.0, 0.0]
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature", positive_number(self.temperature, "temperature"))
        object.__setattr__(self, "top_k", natural_number(self.top_k, "top_k"))
        object.__setattr__(self, "top_p", positive_share(self.top_p, "top_p"))
        object.__setattr__(self, "min_p", share_below_one(self.min_p, "min_p"))

    def distribution(self, logits: AnyArray, name: str = "logits") -> AnyArray:
        """Make the distributions that tokens are sampled from, in float64, of rows of logits.

        Everything is computed in float64, whatever the logits' dtype. A sampler that computes in theirs may decide
        differently about a token that lies on the edge of a filter up to its rounding.

        Parameters
        ----------
        logits : array_like or torch tensor, shape (..., V)
            Finite numbers or -inf, which has probability 0, of any real dtype.
        name : str
            What the error message calls the argument.

        Returns
        -------
        float64 array, shape (..., V)
            A tensor on the same device where the logits are one.

        Raises
        ------
        InvalidInput
            If there is no token or no number in it, a logit is NaN or +inf, or a whole row is -inf.
        """
        array = _as_logits(logits, name)
        xp = array_namespace(array)
        rows = xp.reshape(array, (prod(array.shape[:-1]), array.shape[-1]))
        made = xp.empty(rows.shape, dtype=xp.float64, device=device(array))
        step = max(1, CHUNK_ENTRIES // rows.shape[1])
        for first in range(0, rows.shape[0], step):
            chunk = xp.astype(rows[first : first + step], xp.float64)
            peak = xp.max(chunk, axis=-1, keepdims=True)  # not finite if anything in the row is wrong
            if not bool(xp.all(xp.isfinite(peak))):
                _refuse_row(xp, chunk, peak, first, array.shape[:-1], name)
            # Shifted before the division, which a temperature near 0 would otherwise take to inf - inf.
            with np.errstate(over="ignore"):
                weights = self._weights(xp, (chunk - peak) / self.temperature)
            made[first : first + step] = weights / xp.sum(weights, axis=-1, keepdims=True)
        return xp.reshape(made, array.shape)

    def _weights(self, xp: Any, scaled: AnyArray) -> AnyArray:
        """Filter rows whose largest entry is 0, and return their exponentials."""
        if self.top_k or self.top_p < 1:
            ascending = _ascending(xp, scaled)
            if self.top_k:
                least = ascending[..., -min(self.top_k, scaled.shape[-1])][..., None]
                scaled, ascending = (xp.where(rows < least, -xp.inf, rows) for rows in (scaled, ascending))
            if self.top_p < 1:
                scaled = xp.where(self._in_nucleus(xp, scaled, ascending), scaled, -xp.inf)
        weights = xp.exp(scaled)
        return xp.where(weights < self.min_p, 0.0, weights) if self.min_p else weights

    def _in_nucleus(self, xp: Any, scaled: AnyArray, ascending: AnyArray) -> AnyArray:
        size = scaled.shape[-1]
        sums = xp.cumulative_sum(xp.exp(ascending), axis=-1)
        gone = xp.count_nonzero(sums <= (1 - self.top_p) * sums[..., -1:], axis=-1)[..., None]
        gone = xp.clip(gone, max=size - 1)
        least = xp.take_along_axis(ascending, gone, axis=-1)
        likelier, tied = scaled > least, scaled == least
        kept_ties = size - gone - xp.count_nonzero(likelier, axis=-1)[..., None]
        return likelier | (tied & (xp.cumulative_sum(xp.astype(tied, xp.int64), axis=-1) <= kept_ties))


def _ascending(xp: Any, rows: AnyArray) -> AnyArray:
    # On a CPU torch carries the tokens along, which takes ten times as long.
    return xp.asarray(np.sort(rows)) if str(device(rows)) == "cpu" else xp.sort(rows, axis=-1, stable=False)


def _as_logits(values: AnyArray, name: str) -> AnyArray:
    if not is_torch_array(values):
        array: AnyArray = as_real(values, name)
    elif values.is_complex() or array_namespace(values).isdtype(values.dtype, "bool"):
        raise InvalidInput(f"{name} is not an array of real numbers (dtype {values.dtype}): pass floats")
    else:
        array = values.detach()
    if array.ndim == 0 or array.shape[-1] == 0:
        raise InvalidInput(f"{name} has shape {tuple(array.shape)}: its last axis must hold at least one token")
    return array


def _refuse_row(xp: Any, chunk: AnyArray, peak: AnyArray, first: int, shape: tuple[int, ...], name: str) -> None:
    number = int(xp.argmax(xp.astype(~xp.isfinite(peak[:, 0]), xp.int8)))
    wrong = xp.isnan(chunk[number]) | (chunk[number] == xp.inf)
    token = int(xp.argmax(xp.astype(wrong, xp.int8)))
    index = tuple(int(place) for place in np.unravel_index(first + number, shape)) if shape else ()
    where, value = entry(name, (*index, token)), float(chunk[number, token])
    if value == -np.inf:
        raise InvalidInput(f"{where} = -inf like its whole row: leave it some token")
    raise InvalidInput(f"{where} = {value} is not a logit: logits are finite numbers or -inf")
