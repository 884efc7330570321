from __future__ import annotations

import contextlib
import threading
import time

import pytest

from specproof.theory import rows
from specproof.theory.rows import for_each_row, in_threads


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


@pytest.mark.parametrize("threads", [1, 2])
def test_results_come_in_order_and_nothing_begins_after_an_error(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows.config, "NUMBA_NUM_THREADS", threads)
    assert list(in_threads(lambda part: part.upper(), ["a", "b", "c"])) == ["A", "B", "C"]
    assert list(in_threads(str, [])) == []
    begun = []

    def fail(part: int) -> None:
        begun.append(part)
        time.sleep(0.01)
        raise ValueError(part)

    with pytest.raises(ValueError, match="0"):
        list(in_threads(fail, range(200)))
    assert len(begun) < 100
