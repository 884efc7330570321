"""Models in the shape of the subjects' own: the kit's tables behind a call that takes tokens and gives logits."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from audit.trials import log_rows
from specproof.conformance.problems import Tokens, next_token_law
from specproof.theory.chain import TabularModel

START = 0
"""The token put before every prompt, as engines want one; it carries nothing."""


class TabularLogits:
    """A tabular model called on token ids (n, m), the first of which is ``START``; returns logits (n, m, V)."""

    def __init__(self, model: TabularModel) -> None:
        self.model = model
        self._rows: dict[tuple[int, ...], torch.Tensor] = {}

    def __call__(self, ids: torch.Tensor) -> torch.Tensor:
        """The law of the token after each prefix, as logits."""
        if len(ids) == 1:
            text = tuple(ids[0, 1:].tolist())
            return torch.stack([self._row(text[:length]) for length in range(len(text) + 1)])[None]
        tokens = ids[:, 1:].numpy()
        laws = [next_token_law(self.model, tokens[:, :length]) for length in range(ids.shape[1])]
        return log_rows(np.stack(laws, axis=1))

    def _row(self, prefix: tuple[int, ...]) -> torch.Tensor:
        """Logits (V,) after one prefix, kept: loops over one text ask for the same ones again and again."""
        if prefix not in self._rows:
            self._rows[prefix] = log_rows(next_token_law(self.model, np.array([prefix], dtype=np.int64))[0])
        return self._rows[prefix]


def logits_field(model: TabularModel) -> Callable[..., Any]:
    """The model as transformers' are called: an object with ``logits``."""
    call = TabularLogits(model)
    return lambda ids, **_: SimpleNamespace(logits=call(ids))


def generate_rounds(
    one_round: Callable[[torch.Tensor], torch.Tensor], prompt: tuple[int, ...], length: int, trials: int
) -> Tokens:
    """Repeat a subject's draft-and-verify round, ids (1, m) in and longer ids out, until the texts are long enough."""
    texts = np.empty((trials, length), dtype=np.int64)
    for text in texts:
        ids = torch.tensor([[START, *prompt]])
        start = ids.shape[1]
        while ids.shape[1] < start + length:
            ids = one_round(ids)
        text[:] = ids[0, start : start + length].numpy()
    return texts
