"""Calling a stranger's function: in a thread that can be left behind, what it prints swallowed."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

from specproof.conformance.subject.surroundings import WORKER

Answer = tuple[Any, BaseException | None]
"""What a call returned, or raised."""


BEGINNING = 200
"""So many bytes of what a function prints are kept."""
LAST_WAIT = 1.0
"""Seconds that the end of a worker is waited for."""


class Worker:
    """A thread that makes calls one after another; to start one for each would take longer than most calls do."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._thread = threading.Thread(target=_work, args=(self._tasks, self._answers), daemon=True, name=WORKER)
        self._thread.start()
        weakref.finalize(self, _end, self._tasks, self._thread)

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
    owner = os.getpid()
    while (task := tasks.get()) is not None:
        answer = _attempt(task)
        if os.getpid() != owner:  # a copy that the call forked and forgot: nobody waits for its answer
            os._exit(0)
        answers.put(answer)
        # Nothing of the last call is kept while waiting: tensors that a thread still holds when the interpreter shuts
        # down can end the process with an error.
        del task, answer


def _attempt(task: Callable[[], Any]) -> Answer:
    try:
        return task(), None
    except MemoryError as error:
        traceback.clear_frames(error.__traceback__)  # they hold what has taken all memory, and the check needs some
        return None, error
    except BaseException as error:  # SystemExit too: a stranger's function must not end the check
        return None, error


def _end(tasks: SimpleQueue[Callable[[], Any] | None], thread: threading.Thread) -> None:
    """Let a worker that nobody holds any more end, and wait for it unless it hangs in a call."""
    tasks.put(None)
    if thread is not threading.current_thread():
        thread.join(LAST_WAIT)


@cache
def _null_device() -> int:
    """Open it once for all, as whoever holds a stream to it may outlive every check."""
    return os.open(os.devnull, os.O_WRONLY)


class Nowhere(io.FileIO):
    """A file that keeps of what is written in a call its length in bytes and its beginning.

    What is written between calls and after the last one goes to standard error: a handler of logs that was made in a
    call writes here as long as the program runs.
    """

    def __init__(self) -> None:
        super().__init__(_null_device(), "w", closefd=False)
        self.written, self.beginning, self.is_in_call = 0, b"", False

    def write(self, data: Any) -> int:
        """Count, and forget all but the beginning; or pass on."""
        if self.is_in_call:
            self.written += len(data)
            self.beginning += bytes(data[: BEGINNING - len(self.beginning)])
        elif sys.stderr is not None:
            sys.stderr.write(bytes(data).decode(errors="replace"))
        return len(data)


class Output:
    """What a function prints: swallowed while it is called, by one stream for all calls."""

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._nowhere = Nowhere()
        self._stream = io.TextIOWrapper(io.BufferedWriter(self._nowhere), encoding="utf-8", errors="replace")

    @contextlib.contextmanager
    def swallowed(self) -> Iterator[Nowhere]:
        """Standard output and error go nowhere, through a real file, as code that asks for its number expects."""
        self._stream.flush()
        nowhere = self._nowhere
        nowhere.written, nowhere.beginning, nowhere.is_in_call = 0, b"", True
        try:
            with contextlib.redirect_stdout(self._stream), contextlib.redirect_stderr(self._stream):
                yield nowhere
        finally:
            try:
                self._stream.flush()
            except ValueError:  # closed by the function
                self._open()
            nowhere.is_in_call = False
