"""Where time goes, with a clock that the tests turn."""

from __future__ import annotations

import time

import pytest

from specproof.simulations.language_models.stopwatch import Stopwatch


def test_what_is_set_aside_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: seconds)
    monkeypatch.setattr(time, "process_time", lambda: 2 * seconds)
    watch = Stopwatch("cpu")
    for _ in range(2):
        with watch.time("selection"):
            seconds += 1.0
            with watch.aside("selection"):
                seconds += 10.0
            seconds += 2.0
        seconds += 100.0
        with watch.time("draft"):
            seconds += 5.0
    assert watch.wall == {"selection": 6.0, "draft": 10.0}
    assert watch.process == {"selection": 12.0, "draft": 20.0}


def test_time_counts_when_what_is_timed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.0, 3.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))
    watch = Stopwatch("cpu")
    with pytest.raises(ValueError, match="broken"), watch.time("draft"):
        raise ValueError("broken")
    assert watch.wall == {"draft": 3.0}
