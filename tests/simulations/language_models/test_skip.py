"""Leaving layers out: which are left, and that the cache still serves them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from specproof.simulations.language_models.model import CachedModel, LanguageModel
from specproof.simulations.language_models.skip import skip_layers


@pytest.mark.parametrize("skipped", [0, 1])
def test_the_other_layer_is_left_and_shares_its_weights(make_llama: Any, skipped: int) -> None:
    model = make_llama(5)
    short = skip_layers(model, [skipped])
    (layer,) = short.model.layers
    assert layer.mlp.up_proj.weight is model.model.layers[1 - skipped].mlp.up_proj.weight
    assert layer.self_attn.layer_idx == 0
    assert short.config.num_hidden_layers == 1
    assert len(model.model.layers) == model.config.num_hidden_layers == 2
    assert [layer.self_attn.layer_idx for layer in model.model.layers] == [0, 1]


def test_cached_and_uncached_passes_agree_and_differ_from_the_whole_model(make_llama: Any) -> None:
    model = make_llama(5)
    short = skip_layers(model, [0])
    tokens = torch.tensor([[1, 2, 3, 4]])
    cached = CachedModel(LanguageModel(short, 8, "cpu"), 1)
    pieces = [cached.append(tokens[:, i : i + 2], torch.ones((1, 2), dtype=torch.bool)) for i in (0, 2)]
    with torch.no_grad():
        expected, whole = (module(tokens, use_cache=False).logits for module in (short, model))
    torch.testing.assert_close(torch.cat(pieces, dim=1), expected, rtol=0, atol=1e-4)
    assert (expected - whole).abs().max() > 0.1
