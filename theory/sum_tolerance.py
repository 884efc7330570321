"""How far from 1 the sum of a row of probabilities may be: what rounding in a softmax explains, and no more."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

SUM_TOLERANCE = 1e-6
"""The tolerance for float64, and the least for any other dtype."""

LARGEST_TOLERANCE = 1 / 16
"""No row is farther from 1 than this, whatever its dtype and however many tokens it has."""


FLOAT64 = np.dtype(np.float64)
"""The dtype of most rows: NumPy takes as long for its name as for their sum."""


class Rounding(NamedTuple):
    """What a number loses when it is rounded to a dtype."""

    relative: float
    """The loss is at most this share of a normal number, u."""
    absolute: float
    """The loss is at most this of a number too small to be normal, eta."""


ROUNDING = {
    "float32": Rounding(2.0**-24, 2.0**-150),
    "bfloat16": Rounding(2.0**-8, 2.0**-134),
    "float16": Rounding(2.0**-11, 2.0**-25),
}
"""Dtypes of softmaxes by the names that NumPy and torch have for them."""


def sum_tolerance(values: Any, vocabulary: int) -> float:
    r"""Bound how far rounding takes the sum of a softmax from 1, by the dtype of the array that holds it.

    A softmax divides V weights by a float that stands for their sum S. Adding them up in float32 or better, in
    whatever order, changes S by at most :math:`V 2^{-24}` of it ([1]_, section 4.2); rounding S to the dtype by u of
    it; rounding the quotients by u of each or, where they are tiny, by :math:`\eta`. To first order the sum of the
    quotients is thus off by at most :math:`V (2^{-24} + \eta) + 2u`. For 128,000 tokens that is 0.0076 in float32,
    0.016 in bfloat16 and 0.012 in float16. Other kinds of numbers, float64 and lists among them, have 1e-6.

    Parameters
    ----------
    values : array_like
    vocabulary : int
        The number of tokens, V.

    References
    ----------
    .. [1] N. J. Higham. Accuracy and Stability of Numerical Algorithms. SIAM, 2nd edition 2002.

    Examples
    --------
    >>> import numpy as np
    >>> sum_tolerance([0.5, 0.5], 2), sum_tolerance(np.array([0.5, 0.5], np.float32), 2)
    (1e-06, 1e-06)
    >>> round(sum_tolerance(np.zeros(128_000, np.float32), 128_000), 6)
    0.00763
    """
    dtype = getattr(values, "dtype", None)
    if isinstance(values, np.ndarray) and dtype == FLOAT64:
        return SUM_TOLERANCE
    rounding = ROUNDING.get(str(getattr(dtype, "name", dtype)).removeprefix("torch."))
    if rounding is None:
        return SUM_TOLERANCE
    off = vocabulary * (2.0**-24 + rounding.absolute) + 2 * rounding.relative
    return min(max(off, SUM_TOLERANCE), LARGEST_TOLERANCE)
