"""Worker processes: they stay for the whole run, whatever they have loaded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial

import pytest

from specproof.simulations.experiments.workers import in_workers


def loading(size: int) -> Callable[[], int]:
    """Keep so many numbers in the worker from now on, as a cell keeps the models it has loaded, and give its pid."""

    def load() -> int:
        import os
        import sys
        import time

        import numpy as np

        sys.__dict__.setdefault("kept", []).append(np.ones(size))
        time.sleep(1.1)  # a worker looks at its memory once a second
        return os.getpid()

    return load


@pytest.mark.slow
def test_a_worker_that_has_loaded_much_is_not_replaced() -> None:
    calls = [partial(loading(size)) for size in (1, 1, 50_000_000, 50_000_000, 1, 1, 1, 1)]
    with closing(in_workers(calls, jobs=2)) as found:
        assert len(set(found)) == 2
