"""The cache that forgets, against forward passes without a cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from specproof.simulations.language_models.model import (
    READ_TOGETHER,
    CachedModel,
    LanguageModel,
    check_decodable,
    start,
)
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings

TOLERANCE = 1e-4


def uncached(model: LanguageModel, tokens: list[int]) -> torch.Tensor:
    """Logits after every token of one sequence."""
    with torch.no_grad():
        logits: torch.Tensor = model.module(torch.tensor([tokens]), use_cache=False).logits[0, :, : model.vocabulary]
    return logits


@pytest.mark.parametrize("seed", range(8))
def test_any_pattern_of_appending_and_forgetting_agrees_with_no_cache(pair: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = 5
    cached = CachedModel(pair.target, rows)
    texts: list[list[int]] = [[] for _ in range(rows)]
    compared = 0
    for _ in range(8):
        width = int(rng.integers(1, 5))
        tokens, keep = rng.integers(0, 8, (rows, width)), rng.random((rows, width)) < 0.7
        logits = cached.append(torch.from_numpy(tokens), torch.from_numpy(keep))
        assert torch.isfinite(logits).all()
        for row in range(rows):
            texts[row] += tokens[row, keep[row]].tolist()
            if keep[row].any():
                expected = uncached(pair.target, texts[row])[-int(keep[row].sum()) :]
                torch.testing.assert_close(logits[row, keep[row]], expected, rtol=0, atol=TOLERANCE)
                compared += 1
        count = np.array([rng.integers(0, len(text) + 1) // 2 for text in texts])
        cached.forget(torch.from_numpy(count))
        texts = [text[: len(text) - number] for text, number in zip(texts, count, strict=True)]
    assert compared > 20


def test_what_is_forgotten_or_padding_does_not_matter(pair: Any) -> None:
    logits = []
    for noise in (1, 6):
        cached = CachedModel(pair.target, 1)
        cached.append(torch.tensor([[noise, 2, 3, noise]]), torch.tensor([[False, True, True, True]]))
        cached.forget(torch.tensor([1]))
        logits.append(cached.append(torch.tensor([[5]]), torch.tensor([[True]])))
    torch.testing.assert_close(logits[0], logits[1], rtol=0, atol=0)
    torch.testing.assert_close(logits[0][0, 0], uncached(pair.target, [2, 3, 5])[-1], rtol=0, atol=TOLERANCE)


def test_the_context_matters_so_that_the_comparisons_above_can_fail(pair: Any) -> None:
    one, other = uncached(pair.target, [2, 3, 5])[-1], uncached(pair.target, [3, 2, 5])[-1]
    assert (one - other).abs().max() > 1000 * TOLERANCE


def test_selected_rows_go_on_as_copies_of_their_own_text(pair: Any) -> None:
    cached = CachedModel(pair.target, 3)
    cached.select(torch.tensor([2, 0, 0]))  # nothing to copy yet, but the rows are counted
    texts = [[1, 2], [3, 4], [5, 6]]
    cached.append(torch.tensor(texts), torch.ones((3, 2), dtype=torch.bool))
    cached.forget(torch.tensor([0, 1, 0]))
    cached.select(torch.tensor([1, 1, 2, 0]))
    logits = cached.append(torch.tensor([[7], [0], [7], [7]]), torch.ones((4, 1), dtype=torch.bool))[:, 0]
    for row, text in enumerate([[3, 7], [3, 0], [5, 6, 7], [1, 2, 7]]):
        torch.testing.assert_close(logits[row], uncached(pair.target, text)[-1], rtol=0, atol=TOLERANCE)


def test_start_feeds_all_but_the_last_token_of_ragged_prompts(pair: Any) -> None:
    prompts = [[4], [1, 2, 3], [7, 6]]
    cached, pending = start(pair.target, prompts)
    assert pending.tolist() == [4, 3, 6]
    logits = cached.append(pending[:, None], torch.ones((3, 1), dtype=torch.bool))[:, 0]
    for row, prompt in enumerate(prompts):
        torch.testing.assert_close(logits[row], uncached(pair.target, prompt)[-1], rtol=0, atol=TOLERANCE)


def test_prompts_of_one_token_need_nothing_fed(pair: Any) -> None:
    cached, pending = start(pair.target, [[4], [5]])
    logits = cached.append(pending[:, None], torch.ones((2, 1), dtype=torch.bool))[:, 0]
    torch.testing.assert_close(logits[1], uncached(pair.target, [5])[-1], rtol=0, atol=TOLERANCE)


def test_logits_beyond_the_vocabulary_are_cropped_and_last_limits_columns(make_llama: Any) -> None:
    model = LanguageModel(make_llama(1), 6, "cpu")
    tokens, keep = torch.tensor([[1, 2, 3]]), torch.ones((1, 3), dtype=torch.bool)
    assert CachedModel(model, 1).append(tokens, keep).shape == (1, 3, 6)
    assert CachedModel(model, 1).append(tokens, keep, last=1).shape == (1, 1, 6)


def test_a_model_that_knows_fewer_tokens_never_draws_the_others_and_reads_its_last_in_their_place(
    make_llama: Any,
) -> None:
    model = LanguageModel(make_llama(1, vocabulary=6), 8, "cpu")
    keep = torch.ones((1, 3), dtype=torch.bool)
    found, expected = (CachedModel(model, 1).append(torch.tensor([[1, last, 3]]), keep) for last in (7, 5))
    assert found.shape == (1, 3, 8)
    assert torch.equal(found, expected)
    assert (model.law(found)[..., 6:] == 0).all()
    with pytest.raises(IndexError):
        CachedModel(LanguageModel(make_llama(1), 8, "cpu"), 1).append(torch.tensor([[1, 8, 3]]), keep)


def test_the_law_is_a_float64_softmax_at_any_temperature(make_llama: Any) -> None:
    logits = torch.tensor([1.0, 3.0, -2.0])
    expected = np.exp(np.array([1.0, 3.0, -2.0]) / 1.5)
    law = LanguageModel(make_llama(1), 8, "cpu", SamplingSettings(1.5)).law(logits)
    np.testing.assert_allclose(law.numpy(), expected / expected.sum(), rtol=1e-14)
    cold = LanguageModel(make_llama(1), 8, "cpu", SamplingSettings(5e-324)).law(logits)
    assert cold.tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("prompts", [[[1, 2, 3], [4], [1, 2, 3], [4]], [[3], [2], [3]]], ids=["ragged", "one token"])
def test_equal_prompts_are_read_once_and_go_their_own_ways(
    pair: Any, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    append = CachedModel.append

    def counting(self: CachedModel, tokens: torch.Tensor, keep: torch.Tensor, last: int = 0) -> torch.Tensor:
        read.append(len(tokens))
        return append(self, tokens, keep, last)

    monkeypatch.setattr(CachedModel, "append", counting)
    cached, pending = start(pair.target, prompts)
    assert read in ([], [2])
    assert pending.tolist() == [prompt[-1] for prompt in prompts]
    everyone = torch.ones((len(prompts), 1), dtype=torch.bool)
    for following in (pending, torch.arange(len(prompts)) + 1):
        logits = cached.append(following[:, None], everyone)[:, -1]
    for row, prompt in enumerate(prompts):
        torch.testing.assert_close(logits[row], uncached(pair.target, [*prompt, row + 1])[-1], rtol=0, atol=TOLERANCE)


def test_prompts_are_read_in_passes_with_little_padding_and_shared_beginnings_once(
    pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    chat = [[7, 3, 5, 1, 2, 6, *rng.integers(0, 8, int(size))] for size in rng.integers(2, 6, READ_TOGETHER)]
    prompts = [[4], *([5, token] for token in range(READ_TOGETHER - 1)), *chat]
    read: list[int] = []
    append = CachedModel.append

    def counting(self: CachedModel, tokens: torch.Tensor, keep: torch.Tensor, last: int = 0) -> torch.Tensor:
        read.append(tokens.numel())
        return append(self, tokens, keep, last)

    monkeypatch.setattr(CachedModel, "append", counting)
    cached, pending = start(pair.target, prompts)
    assert sum(read) < sum(map(len, prompts))
    logits = cached.append(pending[:, None], torch.ones((len(prompts), 1), dtype=torch.bool))[:, 0]
    for row, prompt in enumerate(prompts):
        torch.testing.assert_close(logits[row], uncached(pair.target, prompt)[-1], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("configured", "expected"), [(None, ()), (0, (0,)), ([2, 5], (2, 5))])
def test_end_of_text_tokens_come_from_the_generation_settings(
    make_llama: Any, configured: Any, expected: tuple[int, ...]
) -> None:
    module = make_llama(1)
    module.generation_config.eos_token_id = configured
    assert LanguageModel(module, 8, "cpu").eos_ids == expected


def test_a_context_or_sliding_window_too_short_is_refused(make_llama: Any) -> None:
    model = LanguageModel(make_llama(1), 8, "cpu")
    model.require_room(64, 1000)
    with pytest.raises(InvalidInput, match=r"needs 65 .* context of 64"):
        model.require_room(65, 65)
    model.module.config.sliding_window = 20
    with pytest.raises(InvalidInput, match=r"needs 21 .* sliding window of 20"):
        model.require_room(20, 21)
    model.module.config.layer_types = ["full_attention"] * 2
    model.require_room(20, 21)


def test_a_model_without_a_cache_that_forgets_is_refused(make_llama: Any) -> None:
    from transformers import BloomConfig, BloomForCausalLM

    check_decodable(make_llama(1), "llama")
    bloom = BloomForCausalLM(BloomConfig(vocab_size=8, hidden_size=8, n_layer=1, n_head=1))
    with pytest.raises(InvalidInput, match="some/bloom is a BloomForCausalLM"):
        check_decodable(bloom, "some/bloom")
