"""Simpler versions of a problem, a step each: fewer drafts, tokens or positions, less memory, simpler fractions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from specproof.conformance.problems.example_models import Models
from specproof.conformance.problems.problem import Problem
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

WEIGHTS = (1, 2, 3, 4, 6, 10)
"""Laws are rounded to integer weights of about these sums; what is possible stays so."""


def simpler(problem: Problem) -> Iterator[Problem]:
    """Give problems that differ from this one in one step, the largest steps first."""
    yield from problem.shorter()
    for models in _simpler_models(*problem.models):
        yield problem.with_models(*models)


def _simpler_models(draft: TabularModel, target: TabularModel) -> Iterator[Models]:
    if draft.num_states > 2:
        yield _merged(draft), _merged(target)
    for memory, token in itertools.product(range(min(draft.horizon, 2)), (0, -1)):
        yield _forgetful(draft, memory, token), _forgetful(target, memory, token)
    for total in WEIGHTS:
        yield _rounded(draft, total), _rounded(target, total)


def _merged(model: TabularModel) -> TabularModel:
    """Merge the last two tokens into one, whose contexts are those of the first of them."""
    tables = []
    for table in model.conditionals:
        law = np.concatenate([table[..., :-2], table[..., -2:].sum(axis=-1, keepdims=True)], axis=-1)
        tables.append(law[(slice(None, -1),) * (table.ndim - 1)])
    return TabularModel(tables)


def _forgetful(model: TabularModel, memory: int, token: int) -> TabularModel:
    """Take away all memory but of so many tokens: those longer ago count as one token whatever they are."""
    tables = []
    for table in model.conditionals:
        forgotten = max(table.ndim - 1 - memory, 0)
        tables.append(np.broadcast_to(table[(token,) * forgotten], table.shape))
    return TabularModel(tables)


def _rounded(model: TabularModel, total: int) -> TabularModel:
    return TabularModel([_integer_weights(table, total) for table in model.conditionals])


def _integer_weights(rows: Array, total: int) -> Array:
    weights = np.maximum(np.rint(rows * total), rows > 0)
    law: Array = weights / weights.sum(axis=-1, keepdims=True)
    return law
