"""Whole numbers of something: positions, runs, tokens."""

from __future__ import annotations

from typing import Any

import numpy as np

from theory.errors import InvalidInput


def positive_integer(value: Any, name: str) -> int:
    """Check an integer >= 1 and return it as int; a bool is none.

    Raises
    ------
    InvalidInput
        Naming the argument and its value.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise InvalidInput(f"{name} is {value!r}: it must be an integer >= 1")
    return int(value)
