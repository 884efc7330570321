"""The simulated chain: sizes as in the simulation of Yin et al. 2024, and what is observed of its runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.experiments.cell import Records
from specproof.simulations.samplers.rejections import Runs
from specproof.simulations.statistics import mean_interval
from specproof.theory.chain import MarkovChain, random_markov_pair
from specproof.theory.distribution import Array

NUM_STATES, HORIZON, CHAIN_SEED = 7, 50, 2024
"""Rows are drawn once from this seed: the paper does not give its own."""

BAND_LEVEL = 0.01
"""Error level of each interval in a convergence table, which is drawn and not tested."""

_CHUNK = 50_000


def simulated_pair(stationary: bool = False) -> tuple[MarkovChain, MarkovChain]:
    """Return the draft and target chain, whose steps differ from position to position unless ``stationary``."""
    return random_markov_pair(NUM_STATES, HORIZON, np.random.default_rng(CHAIN_SEED), stationary=stationary)


def instance() -> dict[str, Any]:
    """Describe the pair in a row of evidence."""
    return {"states": NUM_STATES, "horizon": HORIZON, "chain_seed": CHAIN_SEED}


def number_last_two(tokens: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the last two tokens of each run of the simulated chain."""
    numbers: NDArray[np.int64] = tokens[:, -2] * NUM_STATES + tokens[:, -1]
    return numbers


def observe(
    simulate: Callable[[int], Runs],
    runs: int,
    number: Callable[[NDArray[np.int64]], NDArray[np.int64]] = number_last_two,
) -> tuple[Array, NDArray[np.int64]]:
    """Count the rejections of each run and number its tokens, a chunk of runs at a time."""
    counts, numbers = [], []
    for start in range(0, runs, _CHUNK):
        chunk = simulate(min(_CHUNK, runs - start))
        counts.append(chunk.rejected.sum(axis=1).astype(np.float64))
        numbers.append(number(chunk.tokens))
    return np.concatenate(counts), np.concatenate(numbers)


def last_two_law(target: MarkovChain) -> Array:
    """Return the exact law of the number that :func:`number_last_two` gives."""
    marginal = target.initial
    for position in range(2, HORIZON):
        marginal = marginal @ target.transition(position)
    law: Array = (marginal[:, np.newaxis] * target.transition(HORIZON)).reshape(-1)
    return law


def convergence(counts: Array, exact: float) -> Records:
    """Tabulate the mean of the first N runs, for N on a logarithmic grid."""
    records: Records = []
    for size in np.unique(np.geomspace(100, counts.size, 41).astype(int)):
        low, high = mean_interval(counts[:size], 0, HORIZON, BAND_LEVEL)
        mean = float(counts[:size].mean())
        shown = {"runs": int(size), "mean": mean, "low": low, "high": high, "level": BAND_LEVEL, "exact": exact}
        records.append({**shown, **instance()})
    return records
