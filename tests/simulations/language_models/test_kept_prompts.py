"""Prompts that are kept: read once, and nothing about what follows them changes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from specproof.simulations.language_models.kept_prompts import KEPT, KeepingModel
from specproof.simulations.language_models.model import READ_TOGETHER, CachedModel, LanguageModel, start
from specproof.theory.sampling_settings import SamplingSettings

PROMPTS = [[1, 2, size, *range(size % 7)] for size in range(8)] + [[5, 3, 1], [4, 4]]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The widths of all forward passes."""
    widths: list[int] = []
    append = CachedModel.append

    def counting(self: CachedModel, tokens: torch.Tensor, keep: torch.Tensor, last: int = 0) -> torch.Tensor:
        widths.append(tokens.shape[1])
        return append(self, tokens, keep, last)

    monkeypatch.setattr(CachedModel, "append", counting)
    return widths


def decode(model: LanguageModel) -> torch.Tensor:
    """Logits after the prompts and two more tokens, the first of which one row takes back, in another order of rows."""
    cached, pending = start(model, PROMPTS)
    everyone = torch.ones((len(PROMPTS), 1), dtype=torch.bool)
    found = [cached.append(pending[:, None], everyone)]
    cached.forget((torch.arange(len(PROMPTS)) == 2).to(torch.int64))
    cached.select(torch.arange(len(PROMPTS)).flip(0))
    found.append(cached.append(torch.full_like(pending, 6)[:, None], everyone))
    return torch.cat(found)


def test_kept_prompts_are_not_read_again_and_give_the_same_bits(pair: Any, read: list[int]) -> None:
    model = KeepingModel.of(pair.target)
    expected = decode(pair.target)
    first, plain = decode(model), len(read)
    read.clear()
    again = decode(model)
    assert len(read) == 2 < plain
    assert torch.equal(first, expected)
    assert torch.equal(again, expected)


def test_other_settings_read_nothing_again_and_have_laws_of_their_own(pair: Any, read: list[int]) -> None:
    model = KeepingModel.of(pair.target)
    start(model, PROMPTS)
    read.clear()
    cold = model.under(SamplingSettings(temperature=0.5))
    cached, pending = start(cold, PROMPTS)
    assert read == []
    logits = cached.append(pending[:, None], torch.ones((len(PROMPTS), 1), dtype=torch.bool))
    assert torch.equal(cached.model.law(logits), cold.law(logits))
    assert not torch.equal(cached.model.law(logits), model.law(logits))


def test_a_pass_beside_other_prompts_is_read_anew(pair: Any, read: list[int]) -> None:
    model = KeepingModel.of(pair.target)
    start(model, [[1, 2, 3, 4], [1, 2, 4, 3]])
    read.clear()
    start(model, [[1, 2, 3, 4], [1, 2, 5, 3]])
    assert read


def test_no_more_than_a_few_passes_are_kept_the_oldest_are_forgotten(pair: Any, read: list[int]) -> None:
    model = KeepingModel.of(pair.target)
    for token in range(KEPT + 1):
        start(model, [[token % 8, token // 8, 0]] * READ_TOGETHER)
    assert len(model.passes) == KEPT
    read.clear()
    start(model, [[1, 0, 0]])
    assert read == []
    start(model, [[0, 0, 0]])
    assert read
