"""Laws of what ``generate`` of a transformers model emits, enumerated without a cache, and tests against them.

Statistical tests: level 1e-8 each, 10,000 texts of three tokens, fixed seeds. A deviation of 0.045 in the probability
of any of the 512 texts, or of any first or last token, is seen with probability 0.99 (each test asserts it).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from specproof.simulations.language_models.custom_generate import Speculative
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.statistics import check_law, check_mean
from specproof.theory.chain import TabularModel
from specproof.theory.sampling_settings import SamplingSettings

V, T, TEXTS = 8, 3, 10_000
LEVEL = 1e-8
PROMPT = [1, 2, 3]
TEMPERATURE, TOP_K = 0.7, 5
PROCESSED = {"temperature": TEMPERATURE, "top_k": TOP_K}
FILTERED = {"temperature": 1.2, "top_k": 6, "top_p": 0.9, "min_p": 0.25}
Array = NDArray[np.float64]
Law = Callable[[Any, list[list[int]]], Array]


def softmax(scores: Array) -> Array:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    rows: Array = weights / weights.sum(axis=-1, keepdims=True)
    return rows


def logits(module: Any, texts: list[list[int]]) -> Array:
    with torch.no_grad():
        rows: Array = module(torch.tensor(texts), use_cache=False).logits[:, -1].double().numpy()
    return rows


def truncated(scores: Array) -> Array:
    """The law at this temperature over the likeliest tokens."""
    kept = scores >= np.sort(scores, axis=-1)[..., -TOP_K, None]
    return softmax(np.where(kept, scores / TEMPERATURE, -np.inf))


def plain_law(module: Any, texts: list[list[int]]) -> Array:
    return softmax(logits(module, texts))


def processed_law(module: Any, texts: list[list[int]]) -> Array:
    return truncated(logits(module, texts))


def warm_law(module: Any, texts: list[list[int]]) -> Array:
    return softmax(logits(module, texts) / TEMPERATURE)


def repelled_law(module: Any, texts: list[list[int]]) -> Array:
    """As ``processed_law`` with a repetition penalty of 1.5 before."""
    scores = logits(module, texts)
    for row, text in zip(scores, texts, strict=True):
        seen = sorted(set(text))
        row[seen] = np.where(row[seen] < 0, row[seen] * 1.5, row[seen] / 1.5)
    return truncated(scores)


def filtered_law(module: Any, texts: list[list[int]], without: str = "") -> Array:
    """The exact law under ``FILTERED``, or under all of it but one setting."""
    kept = {name: value for name, value in FILTERED.items() if name != without}
    rows: Array = SamplingSettings(**kept).distribution(logits(module, texts))  # type: ignore[arg-type]
    return rows


@functools.cache
def tables(module: Any, law: Law) -> TabularModel:
    prefixes = ([PROMPT + list(tail) for tail in itertools.product(range(V), repeat=length)] for length in range(T))
    return TabularModel([law(module, texts).reshape((V,) * (n + 1)) for n, texts in enumerate(prefixes)])


def generate(target: Any, rule: Speculative, seed: int = 1, texts: int = TEXTS, **options: Any) -> Any:
    """``texts`` continuations of one prompt, by default of three tokens."""
    torch.manual_seed(seed)
    settings = {"do_sample": True, "max_new_tokens": T, "return_dict_in_generate": True, **options}
    return target.generate(torch.tensor([PROMPT] * texts), custom_generate=rule, **settings)


def refuted(sequences: torch.Tensor, law: Array) -> bool:
    """Whether the joint law is, or that of the first or the last token, each at a third of the level."""
    tokens = sequences[:, len(PROMPT) :].numpy()
    checks = [
        check_law(np.ravel_multi_index(tuple(tokens.T), law.shape), law.reshape(-1), LEVEL / 3),
        check_law(tokens[:, 0], law.sum(axis=(1, 2)), LEVEL / 3),
        check_law(tokens[:, -1], law.sum(axis=(0, 1)), LEVEL / 3),
    ]
    for check in checks:
        assert check.is_refuted or check.detectable <= 0.045
    return any(check.is_refuted for check in checks)


def assert_mean_rejections(output: Any, exact: float) -> None:
    """A shift of 0.13 in the mean is seen with probability 0.99; one draft more shifts it by 0.14 or more."""
    counts = output.rejected.sum(dim=1).numpy().astype(np.float64)
    check = check_mean(counts, 0.0, float(T), exact, LEVEL)
    assert check.detectable < 0.13
    assert not check.is_refuted


def with_rule(generated: Speculative, **changes: Any) -> Speculative:
    """The same with another rule for one position, or in another detail of its rule for a round."""
    assert isinstance(generated.rule, LevelByLevel)
    return dataclasses.replace(generated, rule=dataclasses.replace(generated.rule, **changes))
