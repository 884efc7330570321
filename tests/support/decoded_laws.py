"""Laws of texts that transformers models decode, enumerated without a cache, and how near an empirical one must be.

The statistical tests use one bound that holds for every sample size (McDiarmid): the total variation distance between
an empirical law of n draws over K cells and the true law exceeds sum_k sqrt(p_k (1 - p_k) / n) / 2 + sqrt(ln(1/a) / 2n)
with probability at most a. FALSE_ALARM is that a.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from specproof.simulations.language_models.model import LanguageModel

V, T = 8, 3
PROMPTS = [[1, 2, 3], [5]]
ROWS = 20_000
FALSE_ALARM = 1e-7
Array = NDArray[np.float64]


def next_laws(model: LanguageModel, texts: list[list[int]]) -> Array:
    """The law after each of several texts of one length."""
    return laws_along(model, texts)[:, -1]


def laws_along(model: LanguageModel, texts: list[list[int]]) -> Array:
    """The law after each token of each text, shape (texts, length, V)."""
    with torch.no_grad():
        logits = model.module(torch.tensor(texts), use_cache=False).logits.double().numpy()
    weights = np.exp((logits - logits.max(axis=-1, keepdims=True)) / model.settings.temperature)
    rows: Array = weights / weights.sum(axis=-1, keepdims=True)
    return rows


def prefixes(prompt: list[int], length: int) -> list[list[int]]:
    return [prompt + list(tail) for tail in itertools.product(range(V), repeat=length)]


def joint_law(model: LanguageModel, prompt: list[int], horizon: int = T) -> Array:
    """The law of the first ``horizon`` tokens after a prompt, shape (V,) * horizon."""
    law = np.ones(())
    for length in range(horizon):
        law = law[..., None] * next_laws(model, prefixes(prompt, length)).reshape((V,) * (length + 1))
    return law


def expected_rejections(pair: Any, prompt: list[int]) -> float:
    """Yin et al. 2024, Theorem 1: the expected total variation at each position of a text drawn from the target."""
    total = 0.0
    for length in range(T):
        draft, target = (next_laws(model, prefixes(prompt, length)) for model in (pair.draft, pair.target))
        reached = joint_law(pair.target, prompt, length).reshape(-1)
        total += float(reached @ (0.5 * np.abs(draft - target).sum(axis=-1)))
    return total


def distance(tokens: NDArray[np.int64], law: Array) -> float:
    counts = np.zeros(law.shape)
    np.add.at(counts, tuple(tokens.T), 1)
    return float(0.5 * np.abs(counts / len(tokens) - law).sum())


def allowance(law: Array, draws: int) -> float:
    return float(0.5 * np.sqrt(law * (1 - law) / draws).sum() + np.sqrt(np.log(1 / FALSE_ALARM) / (2 * draws)))


def assert_target_laws(pair: Any, tokens: NDArray[np.int64]) -> None:
    for index, prompt in enumerate(PROMPTS):
        law, own = joint_law(pair.target, prompt), tokens[index :: len(PROMPTS)]
        assert distance(own, law) <= allowance(law, len(own))


def ends_properly(tokens: NDArray[np.int64], eos: int) -> bool:
    """Nothing after the end-of-text token, and no end before it."""
    for row in tokens:
        ended = np.flatnonzero(row == eos)
        length = ended[0] + 1 if len(ended) else len(row)
        if (row[length:] != -1).any() or (row[:length] < 0).any():
            return False
    return True
