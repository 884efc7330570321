"""Whole trials of one (draft, target) pair, compiled: draw drafts, try them in turn, replace if all fail."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.samplers.selection import Selection
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.integers import positive_integer


class QuantileTable(NamedTuple):
    """A law prepared for drawing by inversion, with a guide into its cumulative sums (Chen and Asmundson 1974).

    Only tokens of positive weight are in it, so no other can be drawn. The guide is what it has over the tables of
    :mod:`specproof.simulations.samplers.inversion`: millions of draws from one law take a few steps each, whatever the
    size of the vocabulary.
    """

    tokens: NDArray[np.int64]
    """The support."""
    cumulative: Array
    """Cumulative weights over the support; the last is infinite, so that a search always ends."""
    total: float
    guide: NDArray[np.int64]
    """Entry b: where to start the search for a uniform number in bucket b."""


def quantile_table(weights: Array) -> QuantileTable:
    """Prepare non-negative weights, shape (V,), for :func:`try_in_turn`; without any mass, the last token is drawn."""
    support = np.flatnonzero(weights > 0) if np.any(weights > 0) else np.array([weights.size - 1])
    cumulative = np.cumsum(weights[support])
    total = float(cumulative[-1])
    buckets = 1 << int(np.ceil(np.log2(4 * support.size)))  # a power of two, so that u * buckets is exact
    guide = np.searchsorted(cumulative, np.arange(buckets) / buckets * total, side="right")
    cumulative[-1] = np.inf
    return QuantileTable(support, cumulative, total, np.minimum(guide, support.size - 1))


def try_in_turn(draft: Array, thresholds: Array, residual: Array, trials: int, rng: np.random.Generator) -> Selection:
    """Run independent trials of a rule that tries i.i.d. drafts in order and resamples if none is accepted.

    Parameters
    ----------
    draft : array, shape (V,)
        Law of every draft.
    thresholds : array, shape (k, V)
        Probability that the l-th draft is accepted if it is token i and all before it failed.
    residual : array, shape (V,)
        Weights of the replacement.
    trials : int
    rng : numpy Generator

    Raises
    ------
    InvalidInput
        If trials is not an integer >= 1.
    """
    tokens, accepted = np.empty((2, positive_integer(trials, "trials")), dtype=np.int64)
    _run(quantile_table(draft), np.ascontiguousarray(thresholds), quantile_table(residual), tokens, accepted, rng)
    return Selection(tokens, accepted)


@compiled()
def draw(table: QuantileTable, rng: np.random.Generator) -> int:
    """Draw one token by inversion; a few nanoseconds."""
    uniform = rng.random()
    rank = table.guide[int(uniform * table.guide.size)]
    while table.cumulative[rank] <= uniform * table.total:
        rank += 1
    token: int = table.tokens[rank]
    return token


@compiled()
def _run(
    draft: QuantileTable,
    thresholds: Array,
    residual: QuantileTable,
    tokens: NDArray[np.int64],
    accepted: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    for trial in range(tokens.size):
        accepted[trial] = -1
        for index in range(thresholds.shape[0]):
            token = draw(draft, rng)
            if rng.random() < thresholds[index, token]:
                tokens[trial], accepted[trial] = token, index
                break
        if accepted[trial] < 0:
            tokens[trial] = draw(residual, rng)
