"""Calls for one row of a small vocabulary: what they take beside their arithmetic alone, on laws that are trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import REGRESSION, Comparison, best_in_turns
from specproof.theory.distribution import Array, dirichlet
from specproof.theory.drafts import hit_probability
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers import VERIFIERS
from specproof.theory.verifiers.at_tokens import agreement_at
from specproof.theory.verifiers.kseq.factor import factors_up_to, solved
from specproof.theory.verifiers.kseq.law import kseq
from specproof.theory.verifiers.priority import PriorityCoupling
from specproof.theory.verifiers.priority.tiling import tile_rows

VOCABULARY, MOST, TOKEN = 1_000, 8, 5
COUNTS = np.arange(1, 17)

ABOVE = 60e-6
"""So many seconds above its arithmetic a call may take: for its checks, its arrays and what it returns."""

REPEATS = 2000


def compare() -> Iterator[Comparison]:
    """Time the optimum, K-SEQ and the priority coupling beside what they compute, done in bare loops."""
    for what, call, arithmetic in _works(*dirichlet(VOCABULARY, 1.0, np.random.default_rng(0), 2)):
        seconds, least = best_in_turns([call, arithmetic], REPEATS)
        peer = f"its arithmetic, {least * 1e6:.0f} us, and {ABOVE * 1e6:.0f} us"
        yield Comparison(f"{what}, V = {VOCABULARY:,}, one row", seconds, least + ABOVE, peer, 1.0 / REGRESSION)


def _works(draft: Array, target: Array) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """What is timed, the call, and its arithmetic."""
    pair = draft, target
    rows = draft[np.newaxis], target[np.newaxis]
    yield "optimum, k = 4", lambda: optimal_acceptance(*pair, 4), partial(_cuts, *pair, COUNTS[3:4])
    yield "optimum, k = 1..16", lambda: optimal_acceptance(*pair, COUNTS), partial(_cuts, *pair, COUNTS)
    yield "K-SEQ, its law, k = 8", lambda: kseq(*pair, MOST), lambda: solved(*pair, MOST)
    agree = {name: partial(agreement_at, VERIFIERS[name], *pair, TOKEN, MOST) for name in ("kseq", "priority")}
    yield "K-SEQ, agreement at a token, k = 1..8", agree["kseq"], lambda: factors_up_to(*rows, MOST)
    cut = partial(_tile, *pair, None, MOST)
    yield "priority coupling, k = 8", lambda: PriorityCoupling(*pair, MOST), cut
    yield "priority coupling, k = 8, tolerance 1e-5", lambda: PriorityCoupling(*pair, MOST, 1e-5), cut
    up_to = partial(_tile, *pair, TOKEN, *range(1, MOST + 1))
    yield "priority, agreement at a token, k = 1..8", agree["priority"], up_to


def _cuts(draft: Array, target: Array, counts: NDArray[np.int64]) -> list[float]:
    """The least cut of the tokens by ratio, for each number of drafts."""
    order = np.argsort(-(target / draft))
    head, tail = np.cumsum(draft[order]), 1.0 - np.cumsum(target[order])
    return [float((tail + hit_probability(head, int(count))).min()) for count in counts]


def _tile(draft: Array, target: Array, token: int | None, *counts: int) -> None:
    """Sets of the tokens by ratio ascending, all or up to one, as later ones change nothing for it."""
    order = np.argsort(target / draft)
    head = order if token is None else order[: 1 + int(np.flatnonzero(order == token)[0])]
    rows, ranks = (draft[head][np.newaxis], target[head][np.newaxis]), np.arange(head.size)[np.newaxis]
    for count in counts:
        tile_rows(*rows, ranks, count)
