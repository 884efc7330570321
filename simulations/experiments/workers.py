"""Worker processes: on this machine's cores or on a Dask cluster, deaf to interrupts, ended with the run."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import joblib
from joblib.externals.loky import process_executor

from specproof.theory.errors import InvalidInput

T = TypeVar("T")

TRACKER = "ignore:resource_tracker"
"""A filter for what that process of loky says, which it inherits."""
PATIENCE = 10.0
"""Seconds that a scheduler is given to answer."""


def in_workers(calls: Sequence[Callable[[], T]], jobs: int, scheduler: str | None = None) -> Generator[T, None, None]:
    """Call each in a worker process, the first ones first, and yield what it returns as soon as it is there.

    Close the generator whatever happens, so that the workers end with the run.

    Parameters
    ----------
    calls : sequence of callable
        They travel pickled.
    jobs : int
        Worker processes on this machine.
    scheduler : str, optional
        Address of a Dask scheduler (``tcp://HOST:PORT``), which then takes the place of the local workers.

    Raises
    ------
    InvalidInput
        If the scheduler does not answer, or a worker process dies.
    """
    # A cluster sees all the work there is. Local workers are given no more than fits their queue: with more,
    # their manager stumbles over the rest when they are stopped (KeyError in loky 3.5).
    waiting = "2 * n_jobs" if scheduler is None else "all"
    with _workers(jobs, scheduler), warnings.catch_warnings():
        # When the run stops early the reason is told; how much unfinished work joblib gave up is not.
        warnings.filterwarnings("ignore", r"\d+ tasks", UserWarning, r"joblib\.parallel")
        # Where loky should replace a worker after all, its thread must not die of the warning.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch=waiting, max_nbytes=None)
        with _deaf_to_interrupts():
            results = parallel(joblib.delayed(_called)(call) for call in calls)
        try:
            yield from results
        except BrokenProcessPool:
            raise InvalidInput(
                "a worker process died, perhaps for want of memory: run the same command again with fewer jobs, "
                "finished cells are kept"
            ) from None
        except _cluster_losses(scheduler):
            raise InvalidInput(
                f"the cluster at {scheduler} was lost: see that scheduler and workers run, then run the same command "
                "again, finished cells are kept"
            ) from None


def _called(call: Callable[[], T]) -> T:
    """Call in a worker, which stays: loky would take the models that it loads for a leak, and start another one."""
    process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize
    return call()


@contextmanager
def on_interrupt(handler: Callable[..., object] | signal.Handlers) -> Iterator[None]:
    """Handle interrupts otherwise for a while, where that can be decided: in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _deaf_to_interrupts() -> AbstractContextManager[None]:
    """Start processes that ignore interrupts: one from the keyboard reaches all, and only this one is to act on it.

    A process inherits that a signal is ignored, so it is deaf from its first moment.
    """
    return on_interrupt(signal.SIG_IGN)


@contextmanager
def _workers(jobs: int, scheduler: str | None) -> Iterator[None]:
    if scheduler is None:
        with _silent_tracker(), joblib.parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
            yield
    else:
        with _client(scheduler), joblib.parallel_config(backend="dask"):
            yield


@contextmanager
def _silent_tracker() -> Iterator[None]:
    """Start the process that tracks loky's semaphores without a voice.

    Where an interrupt falls between two steps of cleaning up it would tell, after our one line, of a semaphore that is
    gone already.
    """
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = f"{before},{TRACKER}" if before else TRACKER
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


def _cluster_losses(scheduler: str | None) -> tuple[type[Exception], ...]:
    """What is raised when the scheduler or a worker of a cluster goes away."""
    if scheduler is None:
        return ()
    from distributed import CancelledError, KilledWorker
    from distributed.comm import CommClosedError

    return (CancelledError, KilledWorker, CommClosedError)


def _client(scheduler: str) -> AbstractContextManager[object]:
    try:
        from distributed import Client
    except ImportError:
        raise InvalidInput("scheduler needs the extra 'cluster': pip install 'specproof[cluster]'") from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what matters is raised
    try:
        client: AbstractContextManager[object] = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"scheduler {scheduler} does not answer ({error}): give the address that 'dask scheduler' printed"
        ) from None
    return client
