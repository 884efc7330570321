"""What is wrong with rows that are no distributions: looked for once it is known that something is."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from specproof.theory.errors import InvalidInput, first_entry

Array = NDArray[np.float64]


def refuse_distribution(array: Array, totals: Array, tolerance: float, name: str) -> NoReturn:
    """Say which entry of an array, shape (..., V), is no probability, or which row has a sum too far from 1.

    Raises
    ------
    InvalidInput
        Always.

    Examples
    --------
    >>> refuse_distribution(np.array([0.5, np.nan]), np.array(np.nan), 1e-6, "draft")
    Traceback (most recent call last):
    ...
    specproof.theory.errors.InvalidInput: draft[1] = nan is not finite: probabilities are finite numbers
    """
    _refuse(~np.isfinite(array), array, name, "is not finite", "probabilities are finite numbers")
    _refuse(array < 0, array, name, "is negative", "clip rounding noise to 0 and renormalise")
    _, row = first_entry(~(np.abs(totals - 1.0) <= tolerance), name)
    where = f"row {', '.join(map(str, row))} of {name}" if row else name
    raise InvalidInput(
        f"{where} sums to {totals[row]:.9g}, not 1 (tolerance {tolerance:.3g}): "
        "divide it by its sum, or turn logits into probabilities with a softmax first"
    )


def _refuse(bad: NDArray[np.bool_], array: Array, name: str, what: str, remedy: str) -> None:
    if bad.any():
        where, index = first_entry(bad, name)
        raise InvalidInput(f"{where} = {array[index]:.9g} {what}: {remedy}")
