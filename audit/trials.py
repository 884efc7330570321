"""What subjects of batch size 1 and of other array types return, in the kit's shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from specproof.conformance.problems import Tokens


def emitted_rows(trials: Iterable[Sequence[int] | torch.Tensor], width: int) -> Tokens:
    """Each trial's tokens in a row of ``width``, -1 after the last."""
    lists = [torch.as_tensor(tokens).reshape(-1).tolist() for tokens in trials]
    rows = np.full((len(lists), width), -1, dtype=np.int64)
    for row, tokens in zip(rows, lists, strict=True):
        row[: len(tokens)] = tokens
    return rows


def log_rows(probabilities: NDArray[np.float64]) -> torch.Tensor:
    """Logits with these probabilities as their softmax, in float64: -inf where nothing can be drawn."""
    with np.errstate(divide="ignore"):
        return torch.from_numpy(np.log(probabilities))
