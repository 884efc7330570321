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
    with np.errstate(over="ignore", invalid="ignore"):  # a sum that is infinite or NaN is refused like any other
        total = float(np.add.reduce(row))
    quotients = np.empty_like(row)
    return quotients if abs(total - 1.0) <= tolerance and _divide(row, total, quotients) else None


@compiled(error_model="numpy", nogil=True)
def _divide(row: NDArray[np.float64], total: float, quotients: NDArray[np.float64]) -> bool:
    """Fill in the quotients, with 0.0 for -0.0: by it q/p would be -inf, and a token that must come first come last.

    Say whether no entry is negative; there is no NaN in a row that has a sum.
    """
    negative = 0
    for token in range(row.size):
        negative += row[token] < 0.0
        quotients[token] = row[token] / total + 0.0
    return negative == 0
