"""One numpy generator behind everything random that a subject draws."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(rng: np.random.Generator) -> Iterator[None]:
    """Seed the global generators of torch and of ``random`` from ``rng``, and restore them after."""
    state = random.getstate()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**63)))
        random.seed(int(rng.integers(2**63)))
        try:
            yield
        finally:
            random.setstate(state)


def torch_generator(rng: np.random.Generator) -> torch.Generator:
    """A torch generator seeded from ``rng``, for subjects that take one."""
    return torch.Generator().manual_seed(int(rng.integers(2**63)))
