"""Whole numbers of something: positions, runs, tokens."""

from __future__ import annotations

from typing import Any

import numpy as np

from specproof.theory.errors import InvalidInput


def positive_integer(value: Any, name: str) -> int:
    """Check an integer >= 1 and return it as int; a bool is none.

    Raises
    ------
    InvalidInput
        Naming the argument and its value.
    """
    return _at_least(1, value, name)


def natural_number(value: Any, name: str) -> int:
    """Check an integer >= 0 and return it as int; a bool is none.

    Raises
    ------
    InvalidInput
        Naming the argument and its value.
    """
    return _at_least(0, value, name)


def _at_least(least: int, value: Any, name: str) -> int:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise InvalidInput(f"{name} is {value!r}: it must be an integer >= {least}")
    return int(value)
