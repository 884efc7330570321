"""Rejections over a horizon: simulated positions a second, and the exact expectation for thousands of states."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.timing import Comparison, best
from specproof.simulations.samplers.rejections import simulate_tables, step_tables
from specproof.theory.chain import random_markov_pair
from specproof.theory.rejections import expected_rejections, expected_rejections_batch

STATES, HORIZON, RUNS = 7, 50, 20_000
FLOOR = 10e6
"""Positions a second asked for: drafted, tested and, where rejected, resampled."""

MANY_STATES, LONG_HORIZON, NUM_DRAFTS = 2000, 1000, 4
LIMIT, BATCH_LIMIT = 10.0, 40.0


def compare() -> Iterator[Comparison]:
    """Time the compiled sampler of the simulated chain's size, and Theorems 1 and 3 on large stationary chains."""
    rng = np.random.default_rng(0)
    tables = step_tables(*random_markov_pair(STATES, HORIZON, rng))
    seconds = best(lambda: simulate_tables(tables, HORIZON, RUNS, rng))
    positions = RUNS * HORIZON
    yield Comparison(
        f"runs over a horizon, S = {STATES}, T = {HORIZON}, {positions:,} positions",
        seconds,
        positions / FLOOR,
        "floor of 10 million positions a second",
        1.0,
    )
    draft, target = random_markov_pair(MANY_STATES, LONG_HORIZON, rng, stationary=True)
    size = f"S = {MANY_STATES:,}, T = {LONG_HORIZON:,}"
    seconds = best(lambda: expected_rejections(draft, target), repeats=1)
    yield Comparison(f"expected rejections, {size}", seconds, LIMIT, "limit of 10 s", 1.0)
    seconds = best(lambda: expected_rejections_batch(draft, target, NUM_DRAFTS), repeats=1)
    what = f"expected rejections, M = {NUM_DRAFTS}, {size}"
    yield Comparison(what, seconds, BATCH_LIMIT, "limit of 40 s", 1.0)
