"""The priority coupling: its build beside a bare sort, and beside solvers of the transport problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import ot
import scipy.sparse as sp
from scipy.sparse.csgraph import maximum_flow

from benchmarks.timing import Comparison, best
from simulations.claims.priority.instances import llm_shaped_pair
from simulations.samplers.inversion import invert
from theory.distribution import Array, dirichlet
from theory.priority import PriorityCoupling
from theory.transport import solve_membership_lp
from theory.transport.draft_sets import DraftSets

LIMITS = {1_000: 0.3e-3, 32_000: 8e-3, 152_064: 45e-3, 262_144: 80e-3}
"""Seconds for one build at a vocabulary size, input checks included."""

QUOTED = {(1_000, 2): 35e-3, (10, 5): 70e-3}
"""Seconds that Global Resolution reports for (tokens, drafts): arXiv 2511.15898, another machine, tolerance 1e-3."""

SMALL = ((10, 2), (10, 3), (40, 2))

FLOW_UNIT = 2**-28
"""The maximum flow is one of integers of 32 bits: capacities are rounded to this."""


def compare() -> Iterator[Comparison]:
    """Time builds against their limits, a bare argsort, published figures and solvers, and selections."""
    rng = np.random.default_rng(0)
    yield from _builds(rng)
    for (tokens, count), seconds in QUOTED.items():
        pair = llm_shaped_pair(rng, tokens)
        ours = best(lambda pair=pair, count=count: PriorityCoupling(*pair, count))
        yield Comparison(_what(tokens, count), ours, seconds, "Global Resolution, as published", 1.0)
    for tokens, count in SMALL:
        yield from _solvers(dirichlet(tokens, 1.0, rng), dirichlet(tokens, 1.0, rng), count)
    draft, target = llm_shaped_pair(rng, 152_064)
    coupling, drafts = PriorityCoupling(draft, target, 8), invert(draft, rng.random((1_000_000, 8)))
    seconds = best(lambda: coupling.select(drafts, rng), repeats=3)
    yield Comparison("priority, a million selections, k = 8", seconds, 1.0, "floor of a million a second", 1.0)


def _builds(rng: np.random.Generator) -> Iterator[Comparison]:
    for tokens, limit in LIMITS.items():
        draft, target = llm_shaped_pair(rng, tokens)
        ratio = target / draft
        sort = best(lambda ratio=ratio: np.argsort(ratio))
        for count in (2, 8):
            pair = (draft, target, count)
            seconds = best(lambda pair=pair: PriorityCoupling(*pair))
            yield Comparison(_what(tokens, count), seconds, limit, f"limit of {limit * 1e3:g} ms", 1.0)
            yield Comparison(_what(tokens, count), seconds, sort, "numpy.argsort of q/p alone", 0.0)


def _solvers(draft: Array, target: Array, num_drafts: int) -> Iterator[Comparison]:
    what = _what(draft.size, num_drafts)
    ours = best(lambda: PriorityCoupling(draft, target, num_drafts))
    highs = best(lambda: solve_membership_lp(draft, target, num_drafts), repeats=3)
    yield Comparison(what, ours, highs, "HiGHS through cvxpy", 20.0)
    problem = _problem(draft, target, num_drafts)
    pot = best(lambda: ot.emd(problem.masses, target, problem.cost, numItermax=10_000_000), repeats=3)
    yield Comparison(what, ours, pot, "POT, network simplex", 1.0)
    flow = best(lambda: maximum_flow(problem.network, 0, problem.network.shape[0] - 1), repeats=3)
    yield Comparison(what, ours, flow, "SciPy, maximum flow (Dinic), 28 bits", 1.0)


@dataclass(frozen=True)
class _Problem:
    """The transport problem posed to others, outside what is timed: sets of drafts against tokens."""

    masses: Array
    cost: Array
    network: sp.csr_array


def _problem(draft: Array, target: Array, num_drafts: int) -> _Problem:
    law = DraftSets.iid(draft, num_drafts)
    masses = np.array(law.masses, dtype=np.float64)
    cost = np.ones((masses.size, target.size))
    for row, tokens in enumerate(law.sets):
        cost[row, list(tokens)] = 0.0
    members, inside = np.nonzero(cost == 0)
    # Nodes: the source, the sets, the tokens, the sink.
    sets, tokens = 1 + np.arange(masses.size), 1 + masses.size + np.arange(target.size)
    tails = np.concatenate((np.zeros_like(sets), sets[members], tokens))
    heads = np.concatenate((sets, tokens[inside], np.full_like(tokens, 1 + masses.size + target.size)))
    capacities = np.concatenate((masses, masses[members], target)) / FLOW_UNIT
    size = masses.size + target.size + 2
    network = sp.csr_array((np.rint(capacities).astype(np.int32), (tails, heads)), shape=(size, size))
    return _Problem(masses / masses.sum(), cost, network)


def _what(tokens: int, num_drafts: int) -> str:
    return f"priority coupling, V = {tokens:,}, k = {num_drafts}"
