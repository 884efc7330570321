"""Running cells: on this machine's cores or on a Dask cluster, keeping each as soon as it is finished."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import joblib

from simulations.experiments.cell import Cell, Findings, run_cell
from simulations.experiments.store import Store
from theory.errors import InvalidInput

Announce = Callable[[Cell], None]
"""Called in this process after each finished cell."""


def run_cells(
    cells: Sequence[Cell],
    seed: int,
    level: float,
    store: Store,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    announce: Announce = lambda cell: None,
) -> list[Findings]:
    """Run what is not in the store yet, and return all findings in the order of the cells.

    The result does not depend on ``jobs`` or ``scheduler``: every cell has its own random stream and runs on one
    thread. A cell is stored the moment it is finished, so that an interrupted run goes on where it was.

    Parameters
    ----------
    cells : sequence of Cell
    seed : int
    level : float
        False-alarm level of each statistical test.
    store : Store
    jobs : int
        Worker processes on this machine.
    scheduler : str, optional
        Address of a Dask scheduler (``tcp://HOST:PORT``), which then takes the place of the local workers.
    announce : callable

    Raises
    ------
    InvalidInput
        If the scheduler does not answer, or a finished cell cannot be written.
    """
    found: dict[str, Findings] = {}
    for cell in cells:
        stored = store.load(cell)
        if stored is not None:
            found[cell.id] = stored
            announce(cell)
    pending = sorted((cell for cell in cells if cell.id not in found), key=lambda cell: -cell.cost)
    for cell, findings in _execute(pending, seed, level, jobs, scheduler):
        store.save(cell, findings)
        found[cell.id] = findings
        announce(cell)
    return [found[cell.id] for cell in cells]


def _execute(
    cells: Sequence[Cell], seed: int, level: float, jobs: int, scheduler: str | None
) -> Iterator[tuple[Cell, Findings]]:
    if not cells:
        return
    if scheduler is None and min(jobs, len(cells)) == 1:
        for cell in cells:
            yield cell, run_cell(cell, seed, level)
        return
    with _workers(jobs, scheduler):
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="all")
        yield from parallel(joblib.delayed(_run_in_worker)(cell, seed, level) for cell in cells)


def _run_in_worker(cell: Cell, seed: int, level: float) -> tuple[Cell, Findings]:
    # An interrupt from the keyboard reaches every process; only the one that holds the store should act on it.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return cell, run_cell(cell, seed, level)


@contextmanager
def _workers(jobs: int, scheduler: str | None) -> Iterator[None]:
    if scheduler is None:
        with joblib.parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
            yield
    else:
        with _client(scheduler), joblib.parallel_config(backend="dask"):
            yield


def _client(scheduler: str) -> AbstractContextManager[object]:
    try:
        from distributed import Client
    except ImportError:
        raise InvalidInput("scheduler needs the extra 'cluster': pip install 'specproof[cluster]'") from None
    try:
        client: AbstractContextManager[object] = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"scheduler {scheduler} does not answer ({error}): give the address that 'dask scheduler' printed"
        ) from None
    return client
