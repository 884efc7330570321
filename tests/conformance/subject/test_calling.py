"""The thread that calls a stranger's function: nothing of a call outlives it, and the thread ends with its owner."""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
import weakref

import pytest

from specproof.conformance.subject.calling import Output, Worker


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Python 3.12 on, where there are several threads
def test_a_forked_copy_that_comes_back_from_a_call_ends_at_once() -> None:
    copy, error = Worker().call(os.fork, 5.0)
    assert error is None
    deadline = time.monotonic() + 10.0
    while (ended := os.waitpid(copy, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.01)
    if ended == (0, 0):
        os.kill(copy, 9)
        os.waitpid(copy, 0)
    assert ended == (copy, 0)


def test_each_call_is_counted_anew_and_what_is_written_later_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    output, logger = Output(), logging.Logger("of a stranger")
    with output.swallowed() as nowhere:
        logger.addHandler(logging.StreamHandler())
        print("one")
    assert (nowhere.written, nowhere.beginning) == (4, b"one\n")
    with output.swallowed() as nowhere:
        logger.warning("three")
    assert (nowhere.written, nowhere.beginning) == (6, b"three\n")
    assert capsys.readouterr() == ("", "")
    logger.warning("mine")
    assert capsys.readouterr() == ("", "mine\n")
    assert nowhere.written == 6
