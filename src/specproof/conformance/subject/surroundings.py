"""What a function finds around it and may leave changed: the working folder, the environment, threads and the like."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
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
        self._threads = set(threading.enumerate())

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Put back afterwards what is changed meanwhile, and remember that it was."""
        folder, environment = _folder(), _entries().copy()
        path, deepest = sys.path.copy(), sys.getrecursionlimit()
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

    def new_threads(self) -> int:
        """Count the threads that were started since and are still alive, but for the kit's own."""
        new = set(threading.enumerate()) - self._threads
        return sum(thread.name != WORKER for thread in new)

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
