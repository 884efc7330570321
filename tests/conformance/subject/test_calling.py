"""The thread that calls a stranger's function: nothing of a call outlives it, and the thread ends with its owner."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from specproof.conformance.subject.calling import Worker


class Held:
    """Something that a call makes, as a tensor is."""


def test_nothing_of_a_call_is_kept() -> None:
    worker, seen = Worker(), []

    def task() -> Held:
        made = Held()
        seen.append(weakref.ref(made))
        return made

    result, error = worker.call(task, 5.0)
    assert isinstance(result, Held)
    assert error is None
    of_task = weakref.ref(task)
    del result, task
    worker.call(lambda: None, 5.0)  # the thread waits for its next task again
    gc.collect()
    assert seen[0]() is None
    assert of_task() is None


def test_the_thread_ends_with_its_worker() -> None:
    worker = Worker()
    worker.call(lambda: None, 5.0)
    thread = worker._thread
    assert thread.is_alive()
    del worker
    gc.collect()
    assert not thread.is_alive()
    assert thread not in threading.enumerate()


def test_a_call_that_hangs_is_left_behind() -> None:
    worker, ready = Worker(), threading.Event()
    with pytest.raises(TimeoutError):
        worker.call(lambda: ready.wait(5.0), 0.01)
    ready.set()
