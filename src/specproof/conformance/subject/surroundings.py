"""What a function finds around it and may leave changed: folder, environment, threads, processes and the like."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WORKER = "specproof calls"
"""The name of the kit's own threads."""


class Surroundings:
    """What was there before the first call, to tell what a call changes, and to put it back.

    Attributes
    ----------
    changed : list of str
        What was changed so far, each once, as a note says it.
    """

    def __init__(self) -> None:
        self.changed: list[str] = []
        self._threads, self._processes = set(threading.enumerate()), _children()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Put back afterwards what is changed meanwhile, and remember that it was."""
        folder, environment = _folder(), _entries().copy()
        path, deepest = sys.path.copy(), sys.getrecursionlimit()
        handlers, severity = logging.root.handlers.copy(), logging.root.level
        try:
            yield
        finally:
            if folder and _folder() != folder:
                os.chdir(folder)
                self._note("the working folder")
            if _entries() != environment:
                os.environ.clear()
                for key, value in environment.items():
                    os.environ[os.environ.decodekey(key)] = os.environ.decodevalue(value)
                self._note("the environment")
            if sys.path != path:
                sys.path[:] = path
                self._note("the path of imports")
            if sys.getrecursionlimit() != deepest:
                sys.setrecursionlimit(deepest)
                self._note("the limit of recursion")
            if (logging.root.handlers, logging.root.level) != (handlers, severity):
                logging.root.handlers[:] = handlers
                logging.root.setLevel(severity)
                self._note("the root logger")

    def new_threads(self) -> int:
        """Count the threads that were started since and are still alive, but for the kit's own."""
        new = set(threading.enumerate()) - self._threads
        return sum(thread.name != WORKER for thread in new)

    def new_processes(self) -> int:
        """Count the processes that were started since and were not waited for, where the system tells."""
        return len(_children() - self._processes)

    def _note(self, what: str) -> None:
        if what not in self.changed:
            self.changed.append(what)


def _entries() -> dict[Any, Any]:
    """Give the dictionary behind the environment: to read it by its own methods takes longer than most calls do."""
    entries: dict[Any, Any] = vars(os.environ)["_data"]
    return entries


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 (a quarter of the time)
    except OSError:  # it is no more
        return ""


def _children() -> set[str]:
    """Name the processes that this one has started and not waited for; none where there is no list of them."""
    found: set[str] = set()
    for children in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has just ended
            found.update(children.read_text().split())
    return found
