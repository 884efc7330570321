"""Running cells: on this machine's cores or on a Dask cluster, keeping each as soon as it is finished."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, closing, contextmanager

import joblib

from specproof.simulations.experiments.cell import Cell, Findings, run_cell
from specproof.simulations.experiments.store import Store
from specproof.theory.errors import InvalidInput

Announce = Callable[[Cell], None]
"""Called in this process after each finished cell."""

Prepare = Callable[[], None]
"""Called in a worker before it is handed a cell."""

TRACKER = "ignore:resource_tracker"
"""A filter for what that process of loky says, which it inherits."""
PATIENCE = 10.0
"""Seconds that a scheduler is given to answer."""


def _nothing() -> None:
    """Prepare nothing: the cells' functions are of this package."""


def run_cells(
    cells: Sequence[Cell],
    seed: int,
    level: float,
    store: Store,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    announce: Announce = lambda _cell: None,
    prepare: Prepare = _nothing,
) -> list[Findings]:
    """Run what is not in the store yet, and return all findings in the order of the cells.

    The result does not depend on ``jobs`` or ``scheduler``: every cell has its own random stream and runs on one
    thread. A cell is stored the moment it is finished, so that an interrupted run goes on where it was. One that needs
    others starts when all cells that need none are finished.

    Parameters
    ----------
    cells : sequence of Cell
        With all that any of them needs.
    seed : int
    level : float
        False-alarm level of each statistical test.
    store : Store
    jobs : int
        Worker processes on this machine.
    scheduler : str, optional
        Address of a Dask scheduler (``tcp://HOST:PORT``), which then takes the place of the local workers.
    announce : callable
    prepare : callable
        Called in a worker before it is handed a cell; it travels, and may be called more than once.

    Raises
    ------
    InvalidInput
        If the scheduler does not answer, a worker process dies, or a finished cell cannot be written.
    """
    found: dict[str, Findings] = {}
    for cell in cells:
        stored = store.load(cell)
        if stored is not None:
            found[cell.id] = stored
            announce(cell)
    while pending := [cell for cell in cells if cell.id not in found]:
        tasks = _ready(pending, found)
        # Closed whatever happens, so that the workers end with the run: what they were at is lost anyway.
        with closing(_execute(tasks, seed, level, jobs, scheduler, prepare)) as finished:
            for cell, findings in finished:
                with _undisturbed():
                    store.save(cell, findings)
                    found[cell.id] = findings
                    announce(cell)
    return [found[cell.id] for cell in cells]


_Task = tuple[Cell, list[Findings]]
"""A cell, and what the cells that it needs have found."""


def _ready(pending: Sequence[Cell], found: Mapping[str, Findings]) -> list[_Task]:
    """Pick the cells that miss nothing they need, the dearest first."""
    ready = [cell for cell in pending if all(need.id in found for need in cell.needs)]
    if not ready:
        raise AssertionError(f"{pending[0].id} needs a cell that is not among those to be run")
    ready.sort(key=lambda cell: -cell.cost)
    return [(cell, [found[need.id] for need in cell.needs]) for cell in ready]


def _execute(
    tasks: Sequence[_Task], seed: int, level: float, jobs: int, scheduler: str | None, prepare: Prepare
) -> Generator[tuple[Cell, Findings], None, None]:
    if scheduler is None and min(jobs, len(tasks)) == 1:
        for cell, needed in tasks:
            yield cell, run_cell(cell, seed, level, needed)
        return
    # A cluster sees all the work there is. Local workers are given no more than fits their queue: with more,
    # their manager stumbles over the rest when they are stopped (KeyError in loky 3.5).
    waiting = "2 * n_jobs" if scheduler is None else "all"
    with _workers(jobs, scheduler), warnings.catch_warnings():
        # When the run stops early the reason is told; how much unfinished work joblib gave up is not.
        warnings.filterwarnings("ignore", r"\d+ tasks", UserWarning, r"joblib\.parallel")
        # A worker that has loaded a second pair of models is taken for one that leaks, and replaced between two cells.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch=waiting)
        with _deaf_to_interrupts():
            results = parallel(
                joblib.delayed(_run_in_worker)(prepare, pickle.dumps(cell), seed, level, needed)
                for cell, needed in tasks
            )
        try:
            yield from results
        except BrokenProcessPool:
            raise InvalidInput(
                "a worker process died, perhaps for want of memory: run the same command again with fewer jobs, "
                "finished cells are kept"
            ) from None
        except _cluster_losses(scheduler):
            raise InvalidInput(
                f"the cluster at {scheduler} was lost: see that scheduler and workers run, then run the same command "
                "again, finished cells are kept"
            ) from None


def _run_in_worker(
    prepare: Prepare, pickled: bytes, seed: int, level: float, needed: list[Findings]
) -> tuple[Cell, Findings]:
    prepare()  # before the cell is unpickled: its function may be of a module that only this makes known
    cell: Cell = pickle.loads(pickled)
    return cell, run_cell(cell, seed, level, needed)


@contextmanager
def _on_interrupt(handler: Callable[..., object] | signal.Handlers) -> Iterator[None]:
    """Handle interrupts otherwise for a while, where that can be decided: in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _deaf_to_interrupts() -> AbstractContextManager[None]:
    """Start processes that ignore interrupts: one from the keyboard reaches all, and only this one is to act on it.

    A process inherits that a signal is ignored, so it is deaf from its first moment.
    """
    return _on_interrupt(signal.SIG_IGN)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let an interrupt wait until a cell is kept and announced, so that the one is never without the other."""
    heard: list[object] = []
    with _on_interrupt(lambda *signalled: heard.append(signalled)):
        yield
    if heard:
        signal.raise_signal(signal.SIGINT)


@contextmanager
def _workers(jobs: int, scheduler: str | None) -> Iterator[None]:
    if scheduler is None:
        with _silent_tracker(), joblib.parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
            yield
    else:
        with _client(scheduler), joblib.parallel_config(backend="dask"):
            yield


@contextmanager
def _silent_tracker() -> Iterator[None]:
    """Start the process that tracks loky's semaphores without a voice.

    Where an interrupt falls between two steps of cleaning up it would tell, after our one line, of a semaphore that is
    gone already.
    """
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = f"{before},{TRACKER}" if before else TRACKER
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


def _cluster_losses(scheduler: str | None) -> tuple[type[Exception], ...]:
    """What is raised when the scheduler or a worker of a cluster goes away."""
    if scheduler is None:
        return ()
    from distributed import CancelledError, KilledWorker
    from distributed.comm import CommClosedError

    return (CancelledError, KilledWorker, CommClosedError)


def _client(scheduler: str) -> AbstractContextManager[object]:
    try:
        from distributed import Client
    except ImportError:
        raise InvalidInput("scheduler needs the extra 'cluster': pip install 'specproof[cluster]'") from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what matters is raised
    try:
        client: AbstractContextManager[object] = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"scheduler {scheduler} does not answer ({error}): give the address that 'dask scheduler' printed"
        ) from None
    return client
