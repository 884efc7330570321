"""Checks whose seconds are those of the processor: what they find does not depend on what else a machine does."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from unittest.mock import patch


@contextlib.contextmanager
def processor_as_clock() -> Iterator[None]:
    """Let whatever a check measures by the clock be measured in processor seconds of this process."""
    with patch.object(time, "monotonic", time.process_time), patch.object(time, "perf_counter", time.process_time):
        yield
