"""A clock that counts trials: checks of a sampler of so many trials a second, in the time that they take to compute."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from specproof.conformance.subject.sampler_under_test import Subject


@contextlib.contextmanager
def trials_a_second(pace: float) -> Iterator[None]:
    """Let time stand still but for the trials of a sampler under test, so many of which take a second."""
    now, timed = [0.0], Subject._timed

    def slowly(subject: Subject, function: Callable[[], Any], trials: int, asked: str) -> Any:
        def slow() -> Any:
            now[0] += trials / pace
            return function()

        return timed(subject, slow, trials, asked)

    def clock() -> float:
        return now[0]

    with (
        patch.object(Subject, "_timed", slowly),
        patch.object(time, "monotonic", clock),
        patch.object(time, "perf_counter", clock),
    ):
        yield
