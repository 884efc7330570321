"""A progress bar on a terminal, a line for each finished cell or group elsewhere; always on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def progress(total: int) -> Iterator[Bar | Lines]:
    """Yield what is to be told of each of ``total`` cells or groups that is finished."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as shown:
        yield Bar(shown, shown.add_task("begins", total=total))


class Bar:
    """A bar that grows by one for what is finished, and by shares within it."""

    def __init__(self, shown: Progress, task: TaskID) -> None:
        self._shown, self._task, self._done = shown, task, 0

    def advance(self, share: float) -> None:
        """Show what share of the next is done."""
        self._shown.update(self._task, completed=self._done + share)

    def finish(self, name: str) -> None:
        """Show that one is finished."""
        self._done += 1
        self._shown.update(self._task, completed=self._done, description=name)


class Lines:
    """A line for each that is finished."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0

    def advance(self, share: float) -> None:
        """Say nothing of shares."""

    def finish(self, name: str) -> None:
        """Write the line."""
        self._done += 1
        print(f"[{self._done}/{self._total}] {name}", file=sys.stderr, flush=True)
