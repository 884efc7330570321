"""The law of every text of three tokens after two prompts, for tiny models, found without a cache.

Statistical tests with :func:`refuted`: level 1e-8 each, 10,000 texts, fixed seeds. A deviation of 0.04 in the
probability of any of the 512 texts is seen with probability 0.99 (each test asserts it).
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.decoding_run import DecodingRun
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


def decode_texts(pair: Any, rule: Any, draft_length: int) -> DecodingRun:
    rng = np.random.default_rng(7)
    return speculative_decode(pair, PROMPTS * TEXTS, T, draft_length, rule, rng, whole_rounds=True)


def any_refuted(pair: Any, run: DecodingRun) -> bool:
    return any(refuted(run.tokens[index :: len(PROMPTS)], joint_law(pair.target, index)) for index in (0, 1))


def first_accepted(run: DecodingRun) -> float:
    """The mean accepted length of the first rounds, 20,000 of them."""
    return float(run.round_accepted[: len(PROMPTS) * TEXTS].mean())
