"""The exact block efficiency of draft sequences."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.timing import Comparison, best
from specproof.theory.chain import random_markov_pair
from specproof.theory.sequences import block_efficiency
from specproof.theory.verifiers import VERIFIERS

STATES, NUM_DRAFTS, LENGTH = 50, 8, 8
LIMIT = 10.0


def compare() -> Iterator[Comparison]:
    """Time it for every verifier, on chains that are long enough for one block and its bonus token."""
    draft, target = random_markov_pair(STATES, LENGTH + 1, np.random.default_rng(0))
    for name in VERIFIERS:
        seconds = best(partial(block_efficiency, draft, target, NUM_DRAFTS, LENGTH, name), repeats=3)
        what = f"block efficiency of {name}, S = {STATES}, K = {NUM_DRAFTS}, L = {LENGTH}"
        yield Comparison(what, seconds, LIMIT, f"limit of {LIMIT:g} s", 1.0)
