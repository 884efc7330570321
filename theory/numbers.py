"""Single numbers that measure something: temperatures, probabilities, costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput


def finite_number(value: Any, name: str) -> float:
    """Check one finite real number, also a fraction or an array of no axes, and return it as float; a bool is none.

    Raises
    ------
    InvalidInput
        Naming the argument and its value.
    """
    return _one(math.isfinite, value, name, "finite number")


def positive_number(value: Any, name: str) -> float:
    """Check one finite number above 0, of the kinds that :func:`finite_number` takes, and return it as float.

    Raises
    ------
    InvalidInput
        Naming the argument and its value.
    """
    return _one(lambda number: 0.0 < number < math.inf, value, name, "positive finite number")


def probability(value: Any, name: str) -> float:
    """Check one number in [0, 1], of the kinds that :func:`finite_number` takes, and return it as float.

    Raises
    ------
    InvalidInput
        Naming the argument and its value.
    """
    return _one(lambda number: 0.0 <= number <= 1.0, value, name, "number in [0, 1]")


def positive_share(value: Any, name: str) -> float:
    """Check one number in (0, 1], of the kinds that :func:`finite_number` takes, and return it as float.

    Raises
    ------
    InvalidInput
        Naming the argument and its value.
    """
    return _one(lambda number: 0.0 < number <= 1.0, value, name, "number in (0, 1]")


def share_below_one(value: Any, name: str) -> float:
    """Check one number in [0, 1), of the kinds that :func:`finite_number` takes, and return it as float.

    Raises
    ------
    InvalidInput
        Naming the argument and its value.
    """
    return _one(lambda number: 0.0 <= number < 1.0, value, name, "number in [0, 1)")


def _one(holds: Callable[[float], bool], value: Any, name: str, what: str) -> float:
    number = _as_float(value)
    if not holds(number):
        raise InvalidInput(f"{name} is {shown(value)}: it must be one {what}")
    return number


def _as_float(value: Any) -> float:
    """NaN, which no range holds, for what is not one real number."""
    single = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if not isinstance(single, Real) or isinstance(single, bool):
        return math.nan
    try:
        return float(single)
    except OverflowError:  # an integer or a fraction past the largest float
        return math.inf
