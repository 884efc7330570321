"""The optimal acceptance: at full vocabulary size, and beside solvers of the linear program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import ot

from benchmarks.max_flow import network, push_relabel_apart
from benchmarks.timing import Comparison, best, best_in_turns
from specproof.theory.distribution import Array, dirichlet, softmax
from specproof.theory.independent.plan_by_cvxpy import plan_by_cvxpy
from specproof.theory.transport import DraftSets, optimal_acceptance, optimal_plan, solve_membership_lp
from specproof.theory.verifiers.kseq.law import kseq

VOCABULARY, LIMIT = 152_064, 0.080
SMALL, NUM_DRAFTS = 40, 2
POT, MAXIMUM_FLOW = "POT, network simplex", "OR-Tools, maximum flow"


def compare() -> Iterator[Comparison]:
    """Time one call for k = 1..16 at full size, a small optimum against HiGHS and POT, and the program itself."""
    rng = np.random.default_rng(0)
    draft = softmax(3.0 * rng.normal(size=VOCABULARY))
    target = softmax(np.log(draft) + rng.normal(size=VOCABULARY))
    counts = np.arange(1, 17)
    seconds = best(lambda: optimal_acceptance(draft, target, counts))
    yield Comparison(f"optimum, V = {VOCABULARY:,}, k = 1..16 in one call", seconds, LIMIT, "limit of 80 ms", 1.0)
    yield from _in_sorts(draft, target)

    draft, target = (dirichlet(SMALL, 1.0, rng) for _ in range(2))
    drafts = DraftSets.iid(draft, NUM_DRAFTS)
    ours = best(lambda: optimal_acceptance(draft, target, NUM_DRAFTS))
    what = f"optimum, V = {SMALL}, k = {NUM_DRAFTS}"
    for peer, solve in LINEAR_PROGRAMS.items():
        yield Comparison(what, ours, best(partial(solve, drafts, target), repeats=3), peer, 20.0)
    _, push = push_relabel_apart(network(drafts, target), repeats=3)
    yield Comparison(what, ours, push, MAXIMUM_FLOW, 1.0)
    for tokens, count, limit in ((12, 3, 0.3), (60, 2, 1.0)):
        draft, target = (dirichlet(tokens, 1.0, rng) for _ in range(2))
        seconds = best(partial(solve_membership_lp, draft, target, count), repeats=3)
        program = f"linear program, V = {tokens}, k = {count}"
        yield Comparison(program, seconds, limit, f"limit of {limit:g} s", 1.0)
        drafts = DraftSets.iid(draft, count)
        pot = best(partial(network_simplex, drafts, target), repeats=1)
        yield Comparison(program, seconds, pot, POT, 0.0)
        _, push = push_relabel_apart(network(drafts, target), repeats=3)
        yield Comparison(program, seconds, push, MAXIMUM_FLOW, 0.0)


def _in_sorts(draft: Array, target: Array) -> Iterator[Comparison]:
    """Time the work on a row beside what a bare sort of its ratios takes."""
    argsort = partial(np.argsort, target / draft)
    for what, work, least in (
        ("optimum, k = 4", partial(optimal_acceptance, draft, target, 4), 2.0),
        ("optimum, k = 1..16", partial(optimal_acceptance, draft, target, np.arange(1, 17)), 1.0),
        ("K-SEQ, its law, k = 8", partial(kseq, draft, target, 8), 4.0),
    ):
        seconds, sort = best_in_turns([work, argsort])
        yield Comparison(f"{what}, V = {VOCABULARY:,}", seconds, sort, "numpy.argsort of q/p alone", least)


def network_simplex(drafts: DraftSets, target: Array) -> float:
    """Pose the same problem as POT takes it: sets of drafts against tokens, at cost 1 outside the set."""
    cost = 1.0 - drafts.membership.toarray()
    masses = drafts.probability / drafts.probability.sum()
    return 1.0 - float(ot.emd2(masses, target, cost, numItermax=100_000_000))


LINEAR_PROGRAMS: dict[str, Callable[[DraftSets, Array], float]] = {
    "HiGHS on the sparse program": lambda drafts, target: optimal_plan(drafts, target).acceptance,
    "HiGHS through cvxpy": lambda drafts, target: plan_by_cvxpy(drafts, target).acceptance,
    POT: network_simplex,
}
