"""Pairs of Markov chains for tests of runs over a horizon, degenerate ones included."""

from __future__ import annotations

import numpy as np

from specproof.theory.chain import MarkovChain, random_markov_pair

FLIP = [[0.75, 0.25], [0.5, 0.5]]

Pair = tuple[MarkovChain, MarkovChain]


def chains() -> dict[str, Pair]:
    draft, target = random_markov_pair(3, 4, np.random.default_rng(51))
    still = random_markov_pair(3, 4, np.random.default_rng(52), stationary=True)
    sparse = MarkovChain([0.0, 0.5, 0.5], [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.25, 0.75, 0.0]], 4)
    identity = MarkovChain([1.0, 0.0, 0.0], np.eye(3), 4)
    tiny = MarkovChain([5e-324, 0.5, 0.5], [[1e-310, 0.5, 0.5]] * 3, 4)
    return {
        "non-stationary": (draft, target),
        "stationary": still,
        "stationary draft": (still[0], target),
        "stationary target": (draft, still[1]),
        "equal": (target, target),
        "sparse target": (draft, sparse),
        "sparse draft": (sparse, target),
        "disjoint starts": (identity, MarkovChain([0.0, 1.0, 0.0], np.eye(3), 4)),
        "denormal draft": (tiny, target),
        "one position": tuple(MarkovChain(s, np.empty((0, 2, 2))) for s in ([0.75, 0.25], [0.25, 0.75])),
        "one token": (MarkovChain([1.0], [[1.0]], 3), MarkovChain([1.0], [[1.0]], 3)),
        "equal up to rounding": (MarkovChain([0.5, 0.5], FLIP, 3), MarkovChain([np.nextafter(0.5, 0), 0.5], FLIP, 3)),
    }


def law_of(chain: MarkovChain, position: int, last: int) -> np.ndarray:
    return chain.initial if position == 1 else chain.transition(position)[last]
