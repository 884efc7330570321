"""Simpler versions of a problem, a step each: fewer drafts, tokens or positions, less memory, simpler fractions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from specproof.conformance.problems import ChainProblem, GenerateProblem, MultiProblem, Problem
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

WEIGHTS = (1, 2, 3, 4, 6, 10)
"""Laws are rounded to integer weights of about this sum; what is possible stays so."""

Models = tuple[TabularModel, TabularModel]


def simpler(problem: Problem) -> Iterator[Problem]:
    """Problems that differ from this one in one step, the largest steps first."""
    if isinstance(problem, MultiProblem):
        if problem.num_drafts > 1:
            yield MultiProblem(problem.draft, problem.target, problem.num_drafts - 1)
        for draft, target in _simpler_models(TabularModel([problem.draft]), TabularModel([problem.target])):
            yield MultiProblem(draft.conditionals[0], target.conditionals[0], problem.num_drafts)
    elif isinstance(problem, ChainProblem):
        if problem.length > 1:
            yield ChainProblem(*(TabularModel(model.conditionals[:-1]) for model in (problem.draft, problem.target)))
        yield from (ChainProblem(*models) for models in _simpler_models(problem.draft, problem.target))
    else:
        yield from _simpler_generate(problem)


def _simpler_generate(problem: GenerateProblem) -> Iterator[GenerateProblem]:
    models, prompt, length = (problem.draft, problem.target), problem.prompt, problem.length
    if length > 1:
        yield GenerateProblem(*models, prompt, length - 1)
    if prompt:
        draft, target = (TabularModel([table[prompt[0]] for table in model.conditionals[1:]]) for model in models)
        yield GenerateProblem(draft, target, prompt[1:], length)
    for fewer in _simpler_models(*models):
        yield GenerateProblem(*fewer, tuple(min(token, fewer[0].num_states - 1) for token in prompt), length)


def _simpler_models(draft: TabularModel, target: TabularModel) -> Iterator[Models]:
    if draft.num_states > 2:
        yield _merged(draft), _merged(target)
    for memory, token in itertools.product(range(min(draft.horizon, 2)), (0, -1)):
        yield _forgetful(draft, memory, token), _forgetful(target, memory, token)
    for total in WEIGHTS:
        yield _rounded(draft, total), _rounded(target, total)


def _merged(model: TabularModel) -> TabularModel:
    """The last two tokens as one, whose contexts are those of the first of them."""
    tables = []
    for table in model.conditionals:
        law = np.concatenate([table[..., :-2], table[..., -2:].sum(axis=-1, keepdims=True)], axis=-1)
        tables.append(law[(slice(None, -1),) * (table.ndim - 1)])
    return TabularModel(tables)


def _forgetful(model: TabularModel, memory: int, token: int) -> TabularModel:
    """With no more memory than so many tokens: those longer ago count as one token whatever they are."""
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
