"""Results and arguments on one line, however large they are."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from typing import Any

import numpy as np

MOST_ENTRIES = 8
"""Arrays and tuples of more entries are shown by their size."""

LONGEST = 100
"""Error messages cut the text of an argument after this many characters."""


LONGEST_INTEGER = 128
"""Integers of more bits are shown by their size."""


def shown(value: Any) -> str:
    """An argument as an error message quotes it: its ``repr`` on one line, cut where it is long.

    Examples
    --------
    >>> shown("greedy"), shown(10**400)
    ("'greedy'", '<integer of 1329 bits>')
    """
    large = isinstance(value, np.ndarray) and value.size > MOST_ENTRIES
    text = _brief(value) if large or isinstance(value, int) else repr(value)
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def one_line(record: Any, *names: str) -> str:
    """A ``__repr__``: the named attributes, or all fields of a dataclass, in digits where these are few."""
    shown = names or tuple(field.name for field in fields(record))
    return f"{type(record).__name__}({', '.join(f'{name}={_brief(getattr(record, name))}' for name in shown)})"


def _brief(value: Any) -> str:
    if shape := getattr(value, "shape", ()):
        small = isinstance(value, np.ndarray) and value.size <= MOST_ENTRIES
        return str(value.tolist()) if small else f"<{value.dtype} of shape {shape}>"
    if isinstance(value, tuple):
        few = len(value) <= MOST_ENTRIES
        return f"({', '.join(map(_brief, value))})" if few else f"<{len(value)} entries>"
    if isinstance(value, Fraction):
        return str(float(value))
    if isinstance(value, int) and value.bit_length() > LONGEST_INTEGER:
        return f"<integer of {value.bit_length()} bits>"
    return str(value)
