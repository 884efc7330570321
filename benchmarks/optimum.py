"""The optimal acceptance: at full vocabulary size, and beside solvers of the linear program."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import ot

from benchmarks.timing import Comparison, best
from theory.distribution import Array, dirichlet, softmax
from theory.transport import optimal_acceptance, solve_membership_lp
from theory.transport.membership_lp import draft_set_law

VOCABULARY, LIMIT = 152_064, 0.080
SMALL, NUM_DRAFTS = 40, 2


def compare() -> Iterator[Comparison]:
    """Time one call for k = 1..16 at full size, and one small optimum against HiGHS and POT."""
    rng = np.random.default_rng(0)
    draft = softmax(3.0 * rng.normal(size=VOCABULARY))
    target = softmax(np.log(draft) + rng.normal(size=VOCABULARY))
    counts = np.arange(1, 17)
    seconds = best(lambda: optimal_acceptance(draft, target, counts))
    yield Comparison(f"optimum, V = {VOCABULARY:,}, k = 1..16 in one call", seconds, LIMIT, "limit of 80 ms", 1.0)

    draft, target = (dirichlet(SMALL, 1.0, rng) for _ in range(2))
    ours = best(lambda: optimal_acceptance(draft, target, NUM_DRAFTS))
    what = f"optimum, V = {SMALL}, k = {NUM_DRAFTS}"
    highs = best(lambda: solve_membership_lp(draft, target, NUM_DRAFTS), repeats=3)
    yield Comparison(what, ours, highs, "HiGHS through cvxpy", 20.0)
    masses, cost = _transport_problem(draft, target)
    pot = best(lambda: ot.emd2(masses, target, cost, numItermax=10_000_000), repeats=3)
    yield Comparison(what, ours, pot, "POT, network simplex", 20.0)


def _transport_problem(draft: Array, target: Array) -> tuple[Array, Array]:
    """Pose the same problem as POT takes it: sets of drafts against tokens, at cost 1 outside the set."""
    law = draft_set_law(draft, NUM_DRAFTS)
    masses = np.fromiter(law.values(), dtype=np.float64)
    cost = np.ones((masses.size, target.size))
    for row, tokens in enumerate(law):
        cost[row, list(tokens)] = 0.0
    return masses / masses.sum(), cost
