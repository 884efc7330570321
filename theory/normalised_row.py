"""One row of probabilities, checked and normalised in few calls: what most functions are given, some thousand times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specproof.theory.compiled import compiled


def normalised_row(row: NDArray[np.float64], tolerance: float) -> NDArray[np.float64] | None:
    """Divide a row of shape (V,) by its sum; give None if it is no distribution, or there are more rows.

    The sum is NumPy's, so that a row among others has the same.

    Examples
    --------
    >>> normalised_row(np.array([0.25, 0.75]), 1e-6)
    array([0.25, 0.75])
    >>> normalised_row(np.array([0.25, np.nan]), 1e-6)
    """
    if row.ndim != 1 or not row.flags.carray:  # any other layout would have the loops compiled anew
        return None
    least, about = _look(row)
    if not (least >= 0.0 and 0.5 < about < 2.0):  # then no sum overflows, and none is invalid
        return None
    total = float(np.add.reduce(row))
    return _over(row, total) if abs(total - 1.0) <= tolerance else None


@compiled(fastmath={"reassoc", "contract", "nsz"}, nogil=True)
def _look(row: NDArray[np.float64]) -> tuple[float, float]:
    """The least entry and the sum in any order, which is NaN where an entry is."""
    least, total = row[0], 0.0
    for entry in row:
        least = min(least, entry)
        total += entry
    return least, total


@compiled(error_model="numpy", nogil=True)
def _over(row: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    """The quotients, with 0.0 for -0.0: by it q/p would be -inf, and a token that must come first would come last."""
    quotients = np.empty_like(row)
    for token in range(row.size):
        quotients[token] = row[token] / total + 0.0
    return quotients
