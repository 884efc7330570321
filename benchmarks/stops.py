"""Where each way to the optimum stops, and why: larger and larger instances, ``make limits``."""

from __future__ import annotations

import math
import multiprocessing
import resource
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.max_flow import PushRelabel, network
from benchmarks.optimum import LINEAR_PROGRAMS, MAXIMUM_FLOW
from specproof.theory.chain import MarkovChain
from specproof.theory.distribution import Array, softmax
from specproof.theory.errors import InvalidInput
from specproof.theory.independent.optimum_by_subsets import optimum_by_subsets
from specproof.theory.transport import (
    DraftSets,
    certify,
    optimal_acceptance,
    optimal_acceptance_different,
    optimal_acceptance_without_replacement,
)
from specproof.theory.trees.block_optimum import block_optimum_of_trees
from specproof.theory.trees.draft_trees import DraftTrees
from specproof.theory.verifiers.priority.orders_certificate import certify_different, certify_without_replacement

PATIENCE = 20
"""Seconds of processor time that one instance may take."""

MEMORY = 4 * 2**30
"""Bytes that one route may hold."""

Size = tuple[int, int]
"""Tokens V and drafts k."""


class Route(NamedTuple):
    """One way to the optimum."""

    solve: Callable[[Array, Array], int]
    """``solve(drafts, target)``, shapes (k, V) and (V,): the variables of its program, or 0 if it has none."""
    sizes: tuple[Size, ...]
    """From small to large; the last is tried whatever became of those before it."""


class Outcome(NamedTuple):
    """What became of one instance, as text."""

    variables: str
    seconds: str
    megabytes: str
    stopped: str


def _program(solve: Callable[[DraftSets, Array], object]) -> Callable[[Array, Array], int]:
    def run(drafts: Array, target: Array) -> int:
        sets = DraftSets.iid(drafts[0], len(drafts))
        solve(sets, target)
        return int(sets.membership.nnz)

    return run


def _without(solve: Callable[[Array, Array], object]) -> Callable[[Array, Array], int]:
    """Nothing is enumerated."""

    def run(drafts: Array, target: Array) -> int:
        solve(drafts, target)
        return 0

    return run


def _blocks(drafts: Array, target: Array) -> int:
    """The block optimum of k sequences of two tokens, with one law at each position, and a proof without rounding."""
    draft, law = (MarkovChain(row, np.tile(row, (row.size, 1)), 3) for row in (drafts[0], target))
    trees = DraftTrees.sequences(draft, len(drafts), 2)
    block_optimum_of_trees(trees, law)
    return sum(map(len, trees.trees))


FULL = 152_064
PROGRAM_SIZES = ((12, 3), (50, 3), (60, 2), (200, 2), (500, 2), (900, 2), (1400, 2), (2000, 2))

ROUTES: dict[str, Route] = {
    "subset formula, i.i.d.": Route(
        _without(lambda drafts, target: optimal_acceptance(drafts[0], target, len(drafts))),
        ((900, 2), (FULL, 2), (FULL, 16)),
    ),
    "subset formula, without replacement": Route(
        _without(lambda drafts, target: optimal_acceptance_without_replacement(drafts[0], target, len(drafts))),
        ((900, 2), (FULL, 2), (FULL, 8), (12, 13)),
    ),
    "subset formula, different laws": Route(
        _without(optimal_acceptance_different), ((900, 2), (FULL, 2), (FULL, 4), (900, 8))
    ),
    "proof, i.i.d.": Route(
        _without(lambda drafts, target: certify(drafts[0], target, len(drafts))),
        ((900, 2), (FULL, 2), (FULL, 16)),
    ),
    "proof, without replacement": Route(
        _without(lambda drafts, target: certify_without_replacement(drafts[0], target, len(drafts))),
        ((60, 2), (200, 2), (60, 3), (301, 2)),
    ),
    "proof, different laws": Route(_without(certify_different), ((60, 2), (300, 2), (300, 4), (301, 2))),
    "all sets of tokens": Route(_program(optimum_by_subsets), ((12, 3), (20, 2), (22, 2), (23, 2))),
    **{name: Route(_program(solve), PROGRAM_SIZES) for name, solve in LINEAR_PROGRAMS.items()},
    "block optimum, two tokens deep": Route(
        _blocks, ((2, 2), (3, 3), (5, 2), (3, 4), (4, 3), (8, 2), (5, 3), (12, 2), (65, 2))
    ),
    MAXIMUM_FLOW: Route(_program(lambda sets, target: PushRelabel(network(sets, target)).acceptance()), PROGRAM_SIZES),
}


def table() -> Table:
    """Run every route on its sizes, in a process of its own so that it can be stopped and its memory told."""
    title = f"Where each way to the optimum stops: {PATIENCE} s and {MEMORY / 2**30:g} GB, one core"
    report = Table("route", "V", "k", "variables", "seconds", "MB", "why it stopped", title=title)
    for name, route in ROUTES.items():
        for (tokens, count), outcome in outcomes(name, route.sizes):
            report.add_row(name, f"{tokens:,}", str(count), *outcome)
        report.add_section()
    return report


def outcomes(name: str, sizes: tuple[Size, ...]) -> Iterator[tuple[Size, Outcome]]:
    """Go up the sizes until one is too much; the last one is tried anyway, as it may be refused at once."""
    reached = 0
    for reached, outcome in enumerate(_run(name, sizes), start=1):
        yield sizes[reached - 1], outcome
    if reached < len(sizes):
        yield from zip(sizes[-1:], _run(name, sizes[-1:]), strict=False)


def _run(name: str, sizes: tuple[Size, ...]) -> Iterator[Outcome]:
    """The outcomes of a new process, until there are no more or a limit ends it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, name, sizes), daemon=True)
    process.start()
    theirs.close()
    try:
        for _ in sizes:
            yield ours.recv()
    except EOFError:
        process.join()
        if process.exitcode == -signal.SIGXCPU:
            yield Outcome("", f"> {PATIENCE}", "", "time limit")
        else:  # Python and solvers alike end where they cannot allocate
            yield Outcome("", "", f"> {MEMORY / 2**20:,.0f}", "memory limit")
    finally:
        process.kill()
        process.join()


def _serve(connection: Connection, name: str, sizes: tuple[Size, ...]) -> None:
    ROUTES[name].solve(np.array([[0.5, 0.5]]), np.array([0.5, 0.5]))  # the first call of a library loads it
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    before = _peak_megabytes()
    for size in sizes:
        limit = math.ceil(time.process_time()) + PATIENCE
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        connection.send(measure(name, size, before))


def measure(name: str, size: Size, before: float) -> Outcome:
    """Solve one instance: seconds of processor time, and megabytes on top of ``before``, at the peak so far."""
    tokens, count = size
    rng = np.random.default_rng(0)
    laws = softmax(2.0 * rng.normal(size=tokens) + rng.normal(size=(count + 1, tokens)))
    start = time.process_time()
    try:
        with threadpool_limits(limits=1):
            variables = ROUTES[name].solve(laws[1:], laws[0])
    except InvalidInput as refusal:
        return Outcome("", f"{time.process_time() - start:.2g}", "", f"refused: {refusal}")
    seconds = time.process_time() - start
    return Outcome(f"{variables:,}" if variables else "", f"{seconds:.2g}", f"{_peak_megabytes() - before:,.0f}", "")


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    Console().print(table())
