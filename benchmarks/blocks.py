"""Block verification: drafted positions a second on one core."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.timing import Comparison, best
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.whole_blocks import verify
from specproof.theory.distribution import dirichlet

VOCABULARY, BLOCKS, LENGTHS = 32, 10_000, (4, 8)
FLOOR = 5e6
"""Drafted positions a second asked for."""


def compare() -> Iterator[Comparison]:
    """Time blocks of laws that differ at every position, as a batch of texts has them."""
    rng = np.random.default_rng(0)
    for length in LENGTHS:
        draft, target = (dirichlet(VOCABULARY, 1.0, rng, (BLOCKS, length + more)) for more in (0, 1))
        drafts = invert(draft, rng.random((BLOCKS, length)))
        uniforms = rng.random((BLOCKS, length + 1))
        positions = BLOCKS * length
        seconds = best(partial(verify, draft, target, drafts, uniforms))
        what = f"block verification, V = {VOCABULARY}, L = {length}, {positions:,} positions"
        yield Comparison(what, seconds, positions / FLOOR, "floor of 5 million positions a second", 1.0)
