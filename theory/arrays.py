"""Arrays of real numbers, as arguments."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput

Number = TypeVar("Number", np.float64, np.int64)

MOST_AXES = 60
"""Arguments have at most this many axes: NumPy's arrays have 64, and what is computed from them adds a few."""


def as_real(values: ArrayLike, name: str) -> NDArray[Any]:
    """Check that these are real numbers and return them as an array of their own dtype, not copied if they are one.

    Raises
    ------
    InvalidInput
        If they are of another kind, rows differ in length, or it is a tensor that requires a gradient.
    """
    try:
        if not isinstance(values, np.ndarray) and str(getattr(values, "dtype", "")) == "torch.bfloat16":
            values = cast(Any, values).float()  # NumPy has no bfloat16
        array = np.asarray(values)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"dtype {array.dtype}, such as {shown(array.ravel()[:1].tolist())}")
        if array.ndim > MOST_AXES:
            raise TypeError(f"{array.ndim} axes, and at most {MOST_AXES} are taken")
    except (TypeError, ValueError, RuntimeError) as error:  # a RuntimeError: a tensor that requires a gradient
        raise InvalidInput(f"{name} is not an array of real numbers ({error}): pass floats") from None
    return array


def as_numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Check real numbers as :func:`as_real` does, and return them as a new float64 array of the same shape.

    Raises
    ------
    InvalidInput
        As :func:`as_real`.
    """
    return as_real(values, name).astype(np.float64)


def as_rows(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Check real numbers as :func:`as_real` does, and that the last axis holds at least one token.

    Returned as float64, which are the values themselves, and not a copy, where they are an array of it.

    Raises
    ------
    InvalidInput
        As :func:`as_real`, or if there is no token.
    """
    array = as_real(values, name).astype(np.float64, copy=False)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise InvalidInput(f"{name} has shape {array.shape}: its last axis must hold at least one token")
    return array


def in_one_layout(values: ArrayLike, dtype: type[Number]) -> NDArray[Number]:
    """C-contiguous and writeable, copied if it must: any other layout would have the compiled loops compiled anew."""
    if isinstance(values, np.ndarray) and values.dtype == dtype and values.flags.carray:
        return values
    return np.require(values, dtype, ["C", "W"])
