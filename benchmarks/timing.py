"""Measuring a call, and reporting it beside a peer's."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

REPEATS = 7

REGRESSION = 2.0
"""Where it is known what something takes, a benchmark fails if it takes so many times more."""


@dataclass(frozen=True)
class Comparison:
    """One line of the report.

    Attributes
    ----------
    what : str
    ours, theirs : float
        Seconds for the same work: ours, and the peer's or the limit asked for.
    peer : str
    least : float
        The ratio asked for.
    """

    what: str
    ours: float
    theirs: float
    peer: str
    least: float

    @property
    def ratio(self) -> float:
        """How many times faster than the peer."""
        return self.theirs / self.ours

    @property
    def falls_short(self) -> bool:
        """Whether it is slower than asked for."""
        return self.ratio < self.least


def best(call: Callable[[], object], repeats: int = REPEATS) -> float:
    """Measure the fastest of several calls after one to warm up, in seconds: noise only ever adds."""
    return best_in_turns([call], repeats)[0]


def best_in_turns(calls: Sequence[Callable[[], object]], repeats: int = REPEATS) -> list[float]:
    """Measure the fastest of several calls of each, one after the other in turns: a slow while slows them all."""
    for call in calls:
        call()
    least = [math.inf] * len(calls)
    for _ in range(repeats):
        for place, call in enumerate(calls):
            start = time.perf_counter()
            call()
            least[place] = min(least[place], time.perf_counter() - start)
    return least
