"""Problems in words: one line for each position and each context that matters to it, in simple fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array


def describe_model(model: TabularModel, positions: int | None = None) -> str:
    """Describe the first positions of a model, all of them by default."""
    return "\n".join(
        line for index, table in enumerate(model.conditionals[:positions]) for line in _position_lines(index, table)
    )


def describe_law(row: Array) -> str:
    """Write a law as a tuple of fractions.

    Examples
    --------
    >>> describe_law(np.array([0.25, 0.75]))
    '(1/4, 3/4)'
    """
    return "(" + ", ".join(map(_fraction, row)) + ")"


def _position_lines(index: int, table: Array) -> list[str]:
    size = table.shape[-1]
    memory = next(m for m in range(index + 1) if _depends_on_last(table, m))
    lines = []
    for context in np.ndindex((size,) * memory):
        given = ", ".join(f"x{index - memory + 1 + place}={token}" for place, token in enumerate(context))
        row = table[(0,) * (index - memory) + context]
        lines.append(f"  x{index + 1}{' | ' + given if given else ''}: {describe_law(row)}")
    return lines


def _depends_on_last(table: Array, memory: int) -> bool:
    """Whether no more than the last ``memory`` tokens of the context matter."""
    return bool(np.array_equal(np.broadcast_to(table[(0,) * (table.ndim - 1 - memory)], table.shape), table))


def _fraction(value: Any) -> str:
    simple = Fraction(float(value)).limit_denominator(1000)
    return str(simple) if abs(float(simple) - value) <= 1e-12 and (simple or not value) else f"{value:.6g}"
