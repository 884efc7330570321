"""Where each way to the optimum stops: the same instances, larger and larger, until one takes too long."""

from __future__ import annotations

import multiprocessing
import resource
import time

import numpy as np
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.optimum import LINEAR_PROGRAMS
from theory.distribution import dirichlet
from theory.errors import InvalidInput
from theory.transport import DraftSets, optimal_acceptance

SIZES = ((12, 3), (60, 2), (200, 2), (50, 3), (500, 2), (100, 3), (2000, 2))
PATIENCE = 2.0
"""A route that took more seconds of processor time than this is not tried on the next size."""

CLOSED_FORM = "subset formula"


def table() -> Table:
    """Run every route on every size that it gets to, each in a process of its own so that its memory can be told."""
    report = Table("route", "V", "k", "variables", "seconds", "MB", title="Where each way to the optimum stops")
    for route in (CLOSED_FORM, *LINEAR_PROGRAMS):
        for tokens, count in SIZES:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                cells, seconds = pool.apply(measure, (route, tokens, count))
            report.add_row(route, str(tokens), str(count), *cells)
            if seconds > PATIENCE:
                break
    return report


def measure(route: str, tokens: int, num_drafts: int) -> tuple[tuple[str, str, str], float]:
    """Solve one instance: variables, seconds of processor time and megabytes on top of the empty process, as text."""
    rng = np.random.default_rng(0)
    draft, target = (dirichlet(tokens, 1.0, rng) for _ in range(2))
    if route != CLOSED_FORM:  # the first call of a library loads it
        LINEAR_PROGRAMS[route](DraftSets.iid([0.5, 0.5], 1), np.array([0.5, 0.5]))
    before, start = _peak_megabytes(), time.process_time()
    try:
        with threadpool_limits(limits=1):
            variables = _solve(route, draft, target, num_drafts)
    except InvalidInput:
        return ("refused", "-", "-"), np.inf
    seconds = time.process_time() - start
    return (variables, f"{seconds:.3g}", f"{_peak_megabytes() - before:.0f}"), seconds


def _solve(route: str, draft: np.ndarray, target: np.ndarray, num_drafts: int) -> str:
    if route == CLOSED_FORM:
        optimal_acceptance(draft, target, num_drafts)
        return "-"
    drafts = DraftSets.iid(draft, num_drafts)
    LINEAR_PROGRAMS[route](drafts, target)
    return f"{drafts.membership.nnz:,}"


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
