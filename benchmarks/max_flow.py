"""The transport problem as a maximum flow: source, sets of drafts, tokens, sink."""

from __future__ import annotations

import multiprocessing
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import best
from specproof.theory.distribution import Array
from specproof.theory.transport import DraftSets


class Arcs(NamedTuple):
    """A network with probabilities for capacities; node 0 is the source and the last one the sink."""

    tails: NDArray[np.int64]
    heads: NDArray[np.int64]
    capacities: Array

    @property
    def sink(self) -> int:
        """The last node."""
        return int(self.heads.max())


def network(drafts: DraftSets, target: Array) -> Arcs:
    """Pose the problem: what flows from a set into a token is the chance that this token is emitted given this set."""
    count = len(drafts.sets)
    members, inside = drafts.membership.nonzero()
    sets, tokens = 1 + np.arange(count), 1 + count + np.arange(target.size)
    return Arcs(
        np.concatenate((np.zeros_like(sets), sets[members], tokens)),
        np.concatenate((sets, tokens[inside], np.full_like(tokens, 1 + count + target.size))),
        np.concatenate((drafts.probability, drafts.probability[members], target)),
    )


class PushRelabel:
    """OR-Tools, ``SimpleMaxFlow``: integers of 64 bits, to which capacities are rounded."""

    UNIT = 2.0**-50

    def __init__(self, arcs: Arcs) -> None:
        # OR-Tools and highspy bring a libhighs.so.1 each, and a process has the one that it loads first.
        from ortools.graph.python import max_flow

        self.sink, self.solver = arcs.sink, max_flow.SimpleMaxFlow()
        capacities = np.rint(arcs.capacities / self.UNIT).astype(np.int64)
        self.solver.add_arcs_with_capacity(arcs.tails, arcs.heads, capacities)

    def acceptance(self) -> float:
        """Solve anew and return the flow as a probability."""
        status = self.solver.solve(0, self.sink)
        if status != self.solver.OPTIMAL:
            raise RuntimeError(f"SimpleMaxFlow stopped with status {status}")
        return float(self.solver.optimal_flow() * self.UNIT)


def push_relabel_apart(arcs: Arcs, repeats: int = 1) -> tuple[float, float]:
    """Solve in a process that loads no other solver; return the flow as a probability, and the best of the seconds."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_timed, (arcs, repeats))


def _timed(arcs: Arcs, repeats: int) -> tuple[float, float]:
    solver = PushRelabel(arcs)
    return solver.acceptance(), best(solver.acceptance, repeats)
