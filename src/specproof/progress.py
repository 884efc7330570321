"""A progress bar on a terminal, a line for each finished cell elsewhere; always on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from specproof.simulations.experiments.cell import Cell
from specproof.simulations.experiments.cell_runner import Announce


@contextmanager
def progress(total: int) -> Iterator[Announce]:
    """Yield a function to be called after each of ``total`` cells."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("cells", total=total)

        def advance(cell: Cell) -> None:
            bar.update(task, advance=1, description=cell.id)

        yield advance


def _lines(total: int) -> Announce:
    done = 0

    def announce(cell: Cell) -> None:
        nonlocal done
        done += 1
        print(f"[{done}/{total}] {cell.id}", file=sys.stderr, flush=True)

    return announce
