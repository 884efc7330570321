"""K-SEQ at full vocabulary size: its division factor, and whole positions against one read of their laws."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.timing import Comparison, best
from specproof.simulations.samplers.chunks import verify_in_chunks
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.kseq import verify
from specproof.theory.distribution import Array, softmax
from specproof.theory.verifiers.kseq.factor import division_factor

LARGEST, LIMIT = 152_064, 0.030
VOCABULARY, POSITIONS, ROUNDS, NUM_DRAFTS = 50_000, 500, 20, 8
"""Ten thousand positions, as many rounds over as many rows as fit in the memory of a laptop."""


def compare() -> Iterator[Comparison]:
    """Time rho* of one row, and the rule, rho* included, over many rows."""
    rng = np.random.default_rng(0)
    draft, target = _rows(1, LARGEST, rng)
    for count in (2, 8):
        seconds = best(partial(division_factor, draft[0], target[0], count))
        yield Comparison(f"rho*, V = {LARGEST:,}, k = {count}", seconds, LIMIT, "limit of 30 ms", 1.0)

    draft, target = _rows(POSITIONS, VOCABULARY, rng)
    drafts = np.stack([invert(row, rng.random(NUM_DRAFTS)) for row in draft])
    coins = rng.random((POSITIONS, NUM_DRAFTS + 1))
    ours = ROUNDS * best(lambda: verify_in_chunks(verify, draft, target, drafts, coins), repeats=3)
    read = ROUNDS * best(lambda: (draft.sum(), target.sum()), repeats=3)
    rate = ROUNDS * (draft.nbytes + target.nbytes) / ours / 1e9
    what = f"K-SEQ, V = {VOCABULARY:,}, k = {NUM_DRAFTS}, {ROUNDS * POSITIONS:,} positions: {rate:.2g} GB/s"
    yield Comparison(what, ours, read, "NumPy sums of both laws", 0.1)


def _rows(count: int, vocabulary: int, rng: np.random.Generator) -> tuple[Array, Array]:
    draft = softmax(3.0 * rng.normal(size=(count, vocabulary)))
    return draft, softmax(np.log(draft) + rng.normal(size=draft.shape))
