"""The laws and models that the ladder's problems are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.chain import MarkovChain, TabularModel
from specproof.theory.distribution import Array

P3, Q3 = (0.6, 0.2, 0.2), (0.2, 0.3, 0.5)
P3_ROWS = ((0.2, 0.6, 0.2), (0.5, 0.4, 0.1), (0.1, 0.3, 0.6))
Q3_ROWS = ((0.5, 0.4, 0.1), (0.1, 0.2, 0.7), (0.3, 0.6, 0.1))
P2_ROWS, Q2_ROWS = ((0.7, 0.3), (0.4, 0.6)), ((0.5, 0.5), (0.1, 0.9))
RARE, USUAL = (0.88, 0.06, 0.06), (1e-6, 0.4 - 1e-6, 0.6)
CLOSE_ROWS = ((0.6, 0.4), (0.3, 0.7))
"""These rows are close to the target's ``Q2_ROWS``, so that long drafts are often accepted."""
P8, Q8 = (0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05, 0.05), (0.05, 0.05, 0.1, 0.1, 0.1, 0.15, 0.2, 0.25)
NEAR_P8 = (0.032, 0.048, 0.072, 0.098, 0.127, 0.148, 0.202, 0.273)
NEAR_Q8 = (0.03, 0.05, 0.07, 0.1, 0.125, 0.15, 0.2, 0.275)
NEAR_P32, NEAR_Q32 = (*(0.0305,) * 31, 0.0545), (*(0.03,) * 31, 0.07)
NEAR_P16, NEAR_Q16 = (0.063, 0.062) * 8, (0.062, 0.063) * 8
"""Drafts near the target are hardly ever rejected, so that rounding and a small number in a denominator show."""
P4, Q4 = (0.4, 0.3, 0.2, 0.1), (0.1, 0.2, 0.3, 0.4)

Models = tuple[TabularModel, TabularModel]
"""A draft and a target."""


def markov(
    first: ArrayLike, rows: Sequence[ArrayLike], target_first: ArrayLike, target_rows: Sequence[ArrayLike], horizon: int
) -> Models:
    """Tabulate two Markov chains, given by their first laws and their rows."""
    draft = MarkovChain(first, np.array(rows), horizon).tabulate()
    return draft, MarkovChain(target_first, np.array(target_rows), horizon).tabulate()


def near_each_other() -> Models:
    """Make a draft and a target of thirty-two tokens that differ in one of them, and one of two after the draft.

    A small number in the denominator of a ratio is added up over all tokens, and goes to that one.
    """
    draft, target = (independent([law, (0.5, 0.5, *(0.0,) * 30)]) for law in (NEAR_P32, NEAR_Q32))
    return draft, target


def independent(rows: Sequence[ArrayLike]) -> TabularModel:
    """Make a model of positions that do not depend on each other, one law for each."""
    return TabularModel([np.broadcast_to(row, (np.size(row),) * (index + 1)) for index, row in enumerate(rows)])


def histories(num_tokens: int, horizon: int) -> Models:
    """Give every context a law of its own: weights 1, 4, 9 ... dealt out by a fixed rule."""

    def table(index: int, step: int) -> Array:
        shape = (num_tokens,) * (index + 1)
        weights = (1.0 + (step * np.arange(num_tokens ** (index + 1)) % 7).reshape(shape)) ** 2
        rows: Array = weights / weights.sum(axis=-1, keepdims=True)
        return rows

    draft, target = (TabularModel([table(index, step) for index in range(horizon)]) for step in (3, 5))
    return draft, target


def certain(model: TabularModel) -> TabularModel:
    """Put all mass of every row on its likeliest token, the first of several."""
    return TabularModel([np.eye(model.num_states)[table.argmax(axis=-1)] for table in model.conditionals])
