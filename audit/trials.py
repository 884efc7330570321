"""What subjects of batch size 1 and of other array types return, in the kit's shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps

import numpy as np
import torch
from numpy.typing import NDArray

from specproof.conformance import Unsupported
from specproof.conformance.problems import Tokens
from specproof.theory.distribution import Array


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


def refuse_ragged(draft_tokens: Tokens) -> None:
    """Refuse batches in which rows have different numbers of drafts.

    Raises
    ------
    Unsupported
        If a token is padded.
    """
    if (draft_tokens < 0).any():
        raise Unsupported("ragged batches: give each row the same number of drafts")


def whole_batches(verify: Callable[..., Tokens]) -> Callable[..., Tokens]:
    """Make an adapter of contract chain refuse ragged batches and drafts without a law.

    Raises
    ------
    Unsupported
        If it is called with such.
    """

    @wraps(verify)
    def refusing(
        draft_probs: Array | None, target_probs: Array, draft_tokens: Tokens, rng: np.random.Generator
    ) -> Tokens:
        refuse_ragged(draft_tokens)
        if draft_probs is None:
            raise Unsupported("drafts without a law: give draft_probs")
        return verify(draft_probs, target_probs, draft_tokens, rng)

    return refusing
