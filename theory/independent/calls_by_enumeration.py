"""Calls one after the other until a text is emitted, enumerated: what each may emit, and what follows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from specproof.theory.chain import TabularModel, check_same_size
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

Call = Callable[[TabularModel, TabularModel], list[Array]]
"""``call(draft, target)``: the joint law of what one call emits from the start of two models.

Entry n-1, shape (V,) * n, is the probability that it emits just these n tokens, n - 1 of them accepted.
"""


class Texts(NamedTuple):
    """What calls make of all texts of T tokens."""

    law: Array
    """The emitted text has this joint law, shape (V,) * T."""
    calls: Array
    """The expected number of calls, counted where the text is this one, has shape (V,) * T; its sum is the mean."""


def calls_by_enumeration(draft: TabularModel, target: TabularModel, tokens: int, call: Call) -> Texts:
    """Let calls follow each other, each from where the one before has ended, until T tokens are emitted.

    Parameters
    ----------
    draft, target : TabularModel
        Of one vocabulary and horizon. The last call looks past T as far as it drafts: calls of L drafts need T + L.
    tokens : int
        T >= 1, below the horizon.
    call : callable
        See :data:`Call`.

    Raises
    ------
    InvalidInput
        If the models differ or are not tabular, or T is not an integer in 1..horizon - 1.

    Examples
    --------
    >>> from specproof.theory.independent.sequences_by_enumeration import sequences_by_enumeration
    >>> model = TabularModel([[0.5, 0.5], [[0.5, 0.5]] * 2, [[[0.5, 0.5]] * 2] * 2])
    >>> one = lambda draft, target: sequences_by_enumeration(draft, target, 1, 1, "single")
    >>> calls_by_enumeration(model, model, 2, one).calls.tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """
    check_same_size(draft, target, TabularModel)
    if positive_integer(tokens, "tokens") >= draft.horizon:
        raise InvalidInput(f"tokens is {tokens!r}: it must lie in 1..horizon - 1 = {draft.horizon - 1}")
    size = draft.num_states

    @cache
    def go_on(prefix: tuple[int, ...]) -> Texts:
        law, calls = (np.zeros((size,) * (tokens - len(prefix))) for _ in range(2))
        for block in call(*(_after(model, prefix) for model in (draft, target))):
            if block.ndim >= law.ndim:
                found = block.sum(axis=tuple(range(law.ndim, block.ndim)))
                law, calls = law + found, calls + found
                continue
            for emitted in np.argwhere(block > 0):
                part = tuple(int(token) for token in emitted)
                later = go_on((*prefix, *part))
                law[part] += block[part] * later.law
                calls[part] += block[part] * (later.law + later.calls)
        return Texts(law, calls)

    return go_on(())


def reaching(blocks: list[Array]) -> list[Array]:
    """The probability to accept these l drafts, and perhaps more, l = 0..L: entry l has shape (V,) * l.

    Examples
    --------
    >>> [found.tolist() for found in reaching([np.array([0.0, 0.25]), np.array([[0.0, 0.25], [0.25, 0.25]])])]
    [1.0, [0.25, 0.5]]
    """
    return [
        np.sum([block.sum(axis=tuple(range(level, block.ndim))) for block in blocks[level:]], axis=0)
        for level in range(len(blocks))
    ]


def _after(model: TabularModel, prefix: tuple[int, ...]) -> TabularModel:
    """The model of what follows a prefix."""
    return TabularModel([table[prefix] for table in model.conditionals[len(prefix) :]])
