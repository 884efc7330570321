"""Calling a stranger's function: in a thread that can be left behind, what it prints swallowed."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

Answer = tuple[Any, BaseException | None]
"""What a call returned, or raised."""


class Worker:
    """A thread that makes calls one after another; to start one for each would take longer than most calls do."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._thread = threading.Thread(target=_work, args=(self._tasks, self._answers), daemon=True)
        self._thread.start()
        weakref.finalize(self, self._tasks.put, None)

    def call(self, task: Callable[[], Any], seconds: float) -> Answer:
        """Run a task and wait for its end.

        Raises
        ------
        TimeoutError
            If it does not come; the worker is of no more use then.
        """
        self._tasks.put(task)
        try:
            return self._answers.get(timeout=seconds)
        except Empty:
            self._abandon()
            raise TimeoutError from None

    def _abandon(self) -> None:
        """Ask a thread that hangs in Python to end; one that hangs in compiled code dies with the process."""
        self._tasks.put(None)
        assert self._thread.ident is not None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident), ctypes.py_object(SystemExit))


def _work(tasks: SimpleQueue[Callable[[], Any] | None], answers: SimpleQueue[Answer]) -> None:
    while (task := tasks.get()) is not None:
        try:
            answers.put((task(), None))
        except BaseException as error:  # SystemExit too: a stranger's function must not end the check
            answers.put((None, error))


class Nowhere(io.FileIO):
    """A file that keeps nothing of what is written but its length in bytes."""

    def __init__(self) -> None:
        super().__init__(os.devnull, "w")
        self.written = 0

    def write(self, data: Any) -> int:
        """Count and forget."""
        self.written += len(data)
        return super().write(data)


@contextlib.contextmanager
def swallowed() -> Iterator[Nowhere]:
    """Standard output and error go nowhere, through a real file, as code that asks for its number expects."""
    nowhere = Nowhere()
    stream = io.TextIOWrapper(io.BufferedWriter(nowhere), encoding="utf-8", errors="replace")
    try:
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            yield nowhere
    finally:
        with contextlib.suppress(ValueError):  # closed by the function
            stream.close()
