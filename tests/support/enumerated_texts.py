"""The law of every text of three tokens after two prompts, for tiny models, found without a cache.

Statistical tests with :func:`refuted`: level 1e-8 each, 10,000 texts, fixed seeds. A deviation of 0.04 in the
probability of any of the 512 texts is seen with probability 0.99 (each test asserts it).
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import torch
from numpy.typing import NDArray

from specproof.simulations.language_models.model import LanguageModel
from specproof.simulations.statistics import check_law
from specproof.theory.chain import TabularModel

V, T, TEXTS = 8, 3, 10_000
LEVEL = 1e-8
PROMPTS = [[1, 2, 3], [5]]

Array = NDArray[np.float64]


def next_laws(model: LanguageModel, texts: list[list[int]]) -> Array:
    with torch.no_grad():
        rows: Array = model.law(model.module(torch.tensor(texts), use_cache=False).logits[:, -1]).numpy()
    return rows


@functools.cache
def joint_law(model: LanguageModel, prompt: int) -> Array:
    prefixes = ([PROMPTS[prompt] + list(t) for t in itertools.product(range(V), repeat=length)] for length in range(T))
    laws = [next_laws(model, texts).reshape((V,) * (n + 1)) for n, texts in enumerate(prefixes)]
    return TabularModel(laws).joint()


def refuted(tokens: NDArray[np.int64], law: Array) -> bool:
    check = check_law(np.ravel_multi_index(tuple(tokens.T), law.shape), law.reshape(-1), LEVEL)
    assert check.is_refuted or check.detectable <= 0.04
    return check.is_refuted
