"""What a function finds around it and may leave changed: the working folder, the environment, threads."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

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
        folder, environment = _folder(), dict(os.environ)
        try:
            yield
        finally:
            if folder and _folder() != folder:
                os.chdir(folder)
                self._note("the working folder")
            if os.environ != environment:
                os.environ.clear()
                os.environ.update(environment)
                self._note("the environment")

    def new_threads(self) -> int:
        """Count the threads that were started since and are still alive, but for the kit's own."""
        new = set(threading.enumerate()) - self._threads
        return sum(thread.name != WORKER for thread in new)

    def _note(self, what: str) -> None:
        if what not in self.changed:
            self.changed.append(what)


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it is no more
        return ""
