"""Time spent in the parts of a decode, by the clock and by the processor."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch


@dataclass
class Stopwatch:
    """Seconds by the name of the part.

    Other programs on the machine lengthen the wall-clock time; on a CPU with one thread, the process time is what the
    wall-clock time would have been without them.
    """

    device: str
    """The device whose queued work is waited for."""
    wall: dict[str, float] = field(default_factory=dict)
    """Seconds by the clock."""
    process: dict[str, float] = field(default_factory=dict)
    """Seconds of this process on the CPU, all its threads together."""

    @contextmanager
    def time(self, part: str) -> Iterator[None]:
        """Add the time spent inside to a part. On a GPU the work queued there is waited for."""
        with self._add(part, 1.0):
            yield

    @contextmanager
    def aside(self, part: str) -> Iterator[None]:
        """Take the time spent inside out of the part that is being timed."""
        with self._add(part, -1.0):
            yield

    @contextmanager
    def _add(self, part: str, factor: float) -> Iterator[None]:
        self._wait()
        wall, process = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self._wait()
            self.wall[part] = self.wall.get(part, 0.0) + factor * (time.perf_counter() - wall)
            self.process[part] = self.process.get(part, 0.0) + factor * (time.process_time() - process)

    def _wait(self) -> None:
        if torch.device(self.device).type == "cuda":
            torch.cuda.synchronize(self.device)
