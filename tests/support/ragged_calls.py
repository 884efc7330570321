"""Calls of a model with a cache: tokens for some of its rows, and how many each row takes back after it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch


def ragged_calls(rows: int, tokens: int) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Tokens (rows, width) from a vocabulary of so many, which of them count, and how many each row forgets then."""
    rng, kept = np.random.default_rng(3), np.zeros(rows, dtype=np.int64)
    for width in (3, 1, 4, 1, 2, 1):
        made, keep = rng.integers(0, tokens, (rows, width)), rng.random((rows, width)) < 0.7
        keep[0] = True
        kept += keep.sum(axis=1)
        back = rng.integers(0, kept // 2 + 1)
        yield torch.from_numpy(made), torch.from_numpy(keep), torch.from_numpy(back)
        kept -= back
