from __future__ import annotations

import contextlib
import threading

import pytest

from specproof.theory import rows
from specproof.theory.rows import for_each_row


def seen(count: int, size: int) -> tuple[list[int], set[int]]:
    numbers, threads = [], set()
    ready = threading.Barrier(2, timeout=0.2)

    def work(row: int) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            ready.wait()  # two threads meet here, one waits in vain
        numbers.append(row)
        threads.add(threading.get_ident())

    for_each_row(count, size, work)
    return sorted(numbers), threads


def test_long_rows_are_shared_out_and_short_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows.config, "NUMBA_NUM_THREADS", 2)
    assert [len(threads) for _, threads in (seen(2, 2**15), seen(2, 100))] == [2, 1]
    assert seen(4, 2**15)[0] == [0, 1, 2, 3]


def test_an_exception_of_a_row_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows.config, "NUMBA_NUM_THREADS", 2)
    for size in (100, 2**15):
        with pytest.raises(ZeroDivisionError):
            for_each_row(3, size, lambda row: row // 0)
