from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# The same examples in every run, and nothing remembered on disk: a failure is the code's, never the seed's.
settings.register_profile("specproof", derandomize=True, database=None, deadline=None, max_examples=60)
settings.load_profile("specproof")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Interrupts are heard here and in what is started from here, even if this run was itself started deaf to them.

    A shell does that to what it puts in the background, and processes inherit it.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
