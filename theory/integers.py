"""Whole numbers of something: positions, runs, tokens, entries of an array."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput

LARGEST_ARRAY = 2**30
"""No array is made that has more entries, which take 8 GiB as float64."""


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


def refuse_large_array(name: str, value: object, shape: Sequence[int]) -> None:
    """Refuse an argument that asks for an array of this shape, if that has more than ``LARGEST_ARRAY`` entries.

    Raises
    ------
    InvalidInput
        Naming the argument, its value and the number of entries.
    """
    if prod(shape) > LARGEST_ARRAY:
        raise InvalidInput(
            f"{name} is {shown(value)}: that makes an array of {shown(prod(shape))} entries, and the limit is "
            f"{LARGEST_ARRAY} (8 GiB), so ask for less"
        )


def _at_least(least: int, value: Any, name: str) -> int:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise InvalidInput(f"{name} is {shown(value)}: it must be an integer >= {least}")
    return int(value)
