"""Running cells, each kept as soon as it is finished."""

from __future__ import annotations

import pickle
import signal
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial

from specproof.simulations.experiments.cell import Cell, Findings, run_cell
from specproof.simulations.experiments.store import Store
from specproof.simulations.experiments.workers import in_workers, on_interrupt

Announce = Callable[[Cell], None]
"""Called in this process after each finished cell."""

Prepare = Callable[[], None]
"""Called in a worker before it is handed a cell."""


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
    calls = [partial(_run_in_worker, prepare, pickle.dumps(cell), seed, level, needed) for cell, needed in tasks]
    with closing(in_workers(calls, jobs, scheduler)) as finished:
        yield from finished


def _run_in_worker(
    prepare: Prepare, pickled: bytes, seed: int, level: float, needed: list[Findings]
) -> tuple[Cell, Findings]:
    prepare()  # before the cell is unpickled: its function may be of a module that only this makes known
    cell: Cell = pickle.loads(pickled)
    return cell, run_cell(cell, seed, level, needed)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let an interrupt wait until a cell is kept and announced, so that the one is never without the other."""
    heard: list[object] = []
    with on_interrupt(lambda *signalled: heard.append(signalled)):
        yield
    if heard:
        signal.raise_signal(signal.SIGINT)
