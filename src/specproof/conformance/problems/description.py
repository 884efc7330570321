"""Problems in words: one line for each position and each context that matters to it, in simple fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array


class ContextLaw(NamedTuple):
    """The law of one token after the part of its context that matters, in simple fractions."""

    token: str
    """The token's name, such as x2."""
    given: str
    """The tokens before it that matter; empty if none does."""
    law: tuple[str, ...]
    """Its probabilities."""


def context_laws(model: TabularModel, positions: int | None = None) -> list[ContextLaw]:
    """Tell the laws of the first positions of a model, all of them by default.

    Examples
    --------
    >>> context_laws(TabularModel([[0.25, 0.75], [[0.5, 0.5], [1.0, 0.0]]]))[-1]
    ContextLaw(token='x2', given='x1=1', law=('1', '0'))
    """
    return [row for index, table in enumerate(model.conditionals[:positions]) for row in _position_laws(index, table)]


def describe_model(model: TabularModel, positions: int | None = None) -> str:
    """Describe the first positions of a model, all of them by default."""
    return "\n".join(
        f"  {token}{' | ' + given if given else ''}: ({', '.join(law)})"
        for token, given, law in context_laws(model, positions)
    )


def describe_law(row: Array) -> str:
    """Write a law as a tuple of fractions.

    Examples
    --------
    >>> describe_law(np.array([0.25, 0.75]))
    '(1/4, 3/4)'
    """
    return "(" + ", ".join(map(_fraction, row)) + ")"


def _position_laws(index: int, table: Array) -> list[ContextLaw]:
    size = table.shape[-1]
    memory = next(m for m in range(index + 1) if _depends_on_last(table, m))
    laws = []
    for context in np.ndindex((size,) * memory):
        given = ", ".join(f"x{index - memory + 1 + place}={token}" for place, token in enumerate(context))
        row = table[(0,) * (index - memory) + context]
        laws.append(ContextLaw(f"x{index + 1}", given, tuple(map(_fraction, row))))
    return laws


def _depends_on_last(table: Array, memory: int) -> bool:
    """Whether no more than the last ``memory`` tokens of the context matter."""
    return bool(np.array_equal(np.broadcast_to(table[(0,) * (table.ndim - 1 - memory)], table.shape), table))


def _fraction(value: Any) -> str:
    simple = Fraction(float(value)).limit_denominator(1000)
    return str(simple) if abs(float(simple) - value) <= 1e-12 and (simple or not value) else f"{value:.6g}"
