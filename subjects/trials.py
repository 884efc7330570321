"""What subjects of batch size 1 and of other array types return, in the kit's shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

Tokens = NDArray[np.int64]


def emitted_rows(trials: Iterable[Sequence[int] | torch.Tensor], width: int) -> Tokens:
    """Each trial's tokens in a row of ``width``, -1 after the last."""
    lists = [torch.as_tensor(tokens).reshape(-1).tolist() for tokens in trials]
    rows = np.full((len(lists), width), -1, dtype=np.int64)
    for row, tokens in zip(rows, lists, strict=True):
        row[: len(tokens)] = tokens
    return rows


def prefix_and_next(drafts: Tokens, accepted: torch.Tensor, following: torch.Tensor) -> Tokens:
    """The accepted drafts, the token after them, and -1: shape (n, L+1) from (n, L), (n,) and (n,)."""
    count = accepted.numpy()
    positions = np.arange(drafts.shape[1] + 1)
    rows = np.where(positions < count[:, None], np.pad(drafts, ((0, 0), (0, 1))), -1)
    rows[np.arange(len(rows)), count] = following.numpy()
    return rows


def log_rows(probabilities: NDArray[np.float64]) -> torch.Tensor:
    """Logits with these probabilities as their softmax, in float64: -inf where nothing can be drawn."""
    with np.errstate(divide="ignore"):
        return torch.from_numpy(np.log(probabilities))
