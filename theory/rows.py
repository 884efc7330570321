"""Rows and other parts of work shared out to threads: one at a time on each core."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from numba import config

Part = TypeVar("Part")
Result = TypeVar("Result")

_WORTH_A_THREAD = 2**15
"""Rows of fewer entries are not worth the handing over, some twenty microseconds."""


def in_threads(work: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
    """Yield what ``work`` makes of each part, in order, on as many threads as Numba may use.

    That is one for each core, and what ``NUMBA_NUM_THREADS`` says where it is set: the processes that ``--jobs`` starts
    have one thread each. Memory is taken for one part a thread, beside the results. An exception of any part is raised,
    and those that have not begun are left.

    Examples
    --------
    >>> list(in_threads(lambda number: number * number, range(4)))
    [0, 1, 4, 9]
    """
    threads = min(int(config.NUMBA_NUM_THREADS), len(parts))
    if threads < 2:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, parts)


def for_each_row(rows: int, size: int, work: Callable[[int], None]) -> None:
    """Call ``work`` with each row's number: by :func:`in_threads`, where rows of ``size`` entries are long enough.

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
    deque(in_threads(work, range(rows)) if size >= _WORTH_A_THREAD else map(work, range(rows)), maxlen=0)
