"""Rows shared out to threads: one row's work at a time on each core."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from numba import config

_WORTH_A_THREAD = 2**15
"""Rows of fewer entries are not worth the handing over, some twenty microseconds."""


def for_each_row(rows: int, size: int, work: Callable[[int], None]) -> None:
    """Call ``work`` with each row's number, on as many threads as Numba may use where rows of ``size`` are long enough.

    That is one for each core, and what ``NUMBA_NUM_THREADS`` says where it is set: the processes that ``--jobs`` starts
    have one thread each. Memory is taken for one row a thread. An exception of any row is raised.

    Examples
    --------
    >>> import numpy as np
    >>> totals, numbers = np.zeros(3), np.arange(12.0).reshape(3, 4)
    >>> def add(row: int) -> None:
    ...     totals[row] = numbers[row].sum()
    >>> for_each_row(3, 4, add)
    >>> totals.tolist()
    [6.0, 22.0, 38.0]
    """
    threads = min(int(config.NUMBA_NUM_THREADS), rows) if size >= _WORTH_A_THREAD else 1
    if threads < 2:
        deque(map(work, range(rows)), maxlen=0)
        return
    with ThreadPoolExecutor(threads) as pool:
        deque(pool.map(work, range(rows)), maxlen=0)
