"""Pairs of small models that rules for trees are enumerated on: random, with zeros, with ties, and equal ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from specproof.theory.chain import TabularModel, random_tabular_pair
from specproof.theory.distribution import Array, normalise_or_zero

SIZES = ((2, 2, 2), (3, 1, 3), (3, 2, 2), (2, 3, 2), (4, 1, 2), (2, 2, 3), (4, 2, 1), (3, 1, 2), (4, 1, 3), (2, 3, 1))
"""Tokens V, length L and number of drafts K, one after the other; each makes 81 drafted trees at most."""

KINDS = ("random", "zeros", "ties", "equal")
"""Which pairs are drawn, one after the other."""


class Instance(NamedTuple):
    """Two models and the size of what is drafted."""

    draft: TabularModel
    target: TabularModel
    num_drafts: int
    length: int
    kind: str


def small_models(rng: np.random.Generator, index: int) -> Instance:
    """Draw the pair of a number: kinds and sizes take turns.

    Examples
    --------
    >>> instance = small_models(np.random.default_rng(0), 0)
    >>> instance.kind, instance.draft.num_states, instance.length, instance.num_drafts
    ('random', 2, 2, 2)
    """
    tokens, length, num_drafts = SIZES[(index // len(KINDS)) % len(SIZES)]
    kind = KINDS[index % len(KINDS)]
    concentration = float(rng.choice([0.3, 1.0, 3.0]))
    draft, target = random_tabular_pair(tokens, length + 1, rng, concentration=concentration)
    if kind == "equal":
        target = draft
    if kind == "ties":
        draft, target = (_in_eighths(model) for model in (draft, target))
    if kind == "zeros":
        draft, target = _without_some(draft, rng, num_drafts), _without_some(target, rng, 1)
    return Instance(draft, target, num_drafts, length, kind)


def heated(law: Array) -> Array:
    """The laws at temperature 2, shape (..., V): the same tokens in the same order, and other probabilities.

    Examples
    --------
    >>> heated(np.array([0.8, 0.2])).round(6).tolist()
    [0.666667, 0.333333]
    """
    return normalise_or_zero(np.sqrt(law))


def _in_eighths(model: TabularModel) -> TabularModel:
    """Round to multiples of 1/8 that are positive where V allows it, so that ratios often tie."""

    def rounded(table: Array) -> Array:
        counts = np.floor(table * (8 - table.shape[-1])) + 1.0
        counts[..., 0] += 8.0 - counts.sum(axis=-1)
        eighths: Array = counts / 8.0
        return eighths

    return TabularModel([rounded(table) for table in model.conditionals])


def _without_some(model: TabularModel, rng: np.random.Generator, kept: int) -> TabularModel:
    """Take away each token with probability 1/3, but for the likeliest so many of each row."""

    def thinned(table: Array) -> Array:
        rank = np.argsort(np.argsort(-table, axis=-1), axis=-1)
        left = np.where((rng.random(table.shape) < 1 / 3) & (rank >= kept), 0.0, table)
        law: Array = left / left.sum(axis=-1, keepdims=True)
        return law

    return TabularModel([thinned(table) for table in model.conditionals])
