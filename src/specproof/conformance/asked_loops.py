"""Decoding loops that know of an end token, a least length and temperatures by row, made from those that do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.text_settings import TextSettings
from specproof.theory.chain import TabularModel

AnyLoop = Callable[..., Tokens]
"""The contract ``generate`` without settings."""


def as_asked(loop: AnyLoop, settings: Callable[[TextSettings], TextSettings] = lambda it: it) -> Callable[..., Tokens]:
    """Make a loop one that knows of all settings, which it takes from the target's laws and from finished texts."""

    def generate(
        draft_model: TabularModel,
        target_model: TabularModel,
        prompt: tuple[int, ...],
        length: int,
        n: int,
        rng: np.random.Generator,
        end_token: int | None = None,
        min_length: int = 0,
        temperatures: Any = None,
    ) -> Tokens:
        each = np.ones(n) if temperatures is None else temperatures
        texts, asked = np.empty((n, length), dtype=np.int64), settings(TextSettings(end_token, min_length))
        for temperature in np.unique(each):
            rows = np.flatnonzero(each == temperature)
            target = asked.processed(target_model, len(prompt), float(temperature))
            texts[rows] = loop(draft_model, target, prompt, length, rows.size, rng)
        if end_token is not None:
            is_end = texts == end_token
            texts[np.cumsum(is_end, axis=1) - is_end > 0] = -1
        return texts

    return generate
