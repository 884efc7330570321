"""Layers in fewer calls against transformers' own: the same logits with any cache; other models keep their layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from ragged_calls import ragged_calls

from specproof.simulations.language_models.fused_layers import FusedLayer, fuse_layers
from specproof.simulations.language_models.int8 import Int8Linear, to_int8
from specproof.simulations.language_models.linear_layers import replace_linear
from specproof.simulations.language_models.model import CachedModel, LanguageModel, start

CLOSE = {"rtol": 0.0, "atol": 2e-5}
SETTINGS = {
    "one head of keys": {},
    "biases": {"attention_bias": True, "mlp_bias": True},
    "another activation": {"hidden_act": "gelu"},
    "tied": {"tie_word_embeddings": True},
    "scaled rotation": {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}},
    "wide heads": {"head_dim": 12},
}


@pytest.fixture(params=SETTINGS.values(), ids=SETTINGS.keys())
def model(request: Any, make_llama: Any) -> Any:
    """Four heads of queries share two of keys; the norms weigh unequally."""
    sizes = {"num_attention_heads": 4, "num_key_value_heads": 2} if request.param else {}
    model = make_llama(7, hidden=32, **sizes, **request.param)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.copy_(torch.linspace(0.5, 1.5, 32))
    return model


def both(model: Any) -> list[LanguageModel]:
    fused = fuse_layers(model)
    assert all(type(layer) is FusedLayer for layer in fused.model.layers)
    return [LanguageModel(module, 8, "cpu") for module in (model, fused)]


@pytest.mark.parametrize("width", [1, 2, 5])
def test_without_a_cache(model: Any, width: int) -> None:
    tokens = torch.tensor([[1, 2, 3, 4, 5], [2, 2, 1, 0, 6]])[:, :width]
    with torch.no_grad():
        expected, found = (each.module(tokens, use_cache=False).logits for each in both(model))
    torch.testing.assert_close(found, expected, **CLOSE)


def test_with_padding_anywhere_and_tokens_taken_back(model: Any) -> None:
    caches = [CachedModel(each, 4) for each in both(model)]
    for tokens, keep, back in ragged_calls(4, 8):
        expected, found = (cache.append(tokens, keep) for cache in caches)
        assert torch.isfinite(found).all()
        torch.testing.assert_close(found[keep], expected[keep], **CLOSE)
        for cache in caches:
            cache.forget(back)


def test_with_prompts_that_are_joined_and_rows_that_are_selected(model: Any) -> None:
    prompts, rows = [[4], [1, 2, 3], [7, 6], [1, 2, 5, 5, 0]], torch.tensor([3, 1, 1, 0])
    logits = []
    for each in both(model):
        cache, pending = start(each, prompts)
        cache.select(rows)
        logits.append(cache.append(torch.stack([pending[rows], pending], dim=1), torch.ones((4, 2), dtype=torch.bool)))
    torch.testing.assert_close(logits[1], logits[0], **CLOSE)


def test_the_norms_and_the_rotation_matter_so_that_the_comparisons_can_fail(model: Any) -> None:
    fused = fuse_layers(model)
    tokens = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        expected = fused(tokens).logits
        for layer in fused.model.layers:
            layer.first_norm.weight = torch.nn.Parameter(layer.first_norm.weight.flip(0))
        assert (fused(tokens).logits - expected).abs().max() > 1000 * CLOSE["atol"]
        moved = fuse_layers(model)(tokens, position_ids=torch.tensor([[0, 3, 9]])).logits
    assert (moved - expected).abs().max() > 100 * CLOSE["atol"]


def test_the_model_stays_and_what_is_not_stacked_is_its_own(model: Any) -> None:
    layers, attention = list(model.model.layers), model.config._attn_implementation
    fused = fuse_layers(model)
    assert all(now is before for now, before in zip(model.model.layers, layers, strict=True))
    assert model.config._attn_implementation == attention
    assert fused.get_output_embeddings().weight is model.get_output_embeddings().weight
    stacked = {name for name, each in fused.named_parameters() if all(each is not own for own in model.parameters())}
    assert all(".qkv." in name or ".gate_up." in name for name in stacked)


def test_layers_in_int8_are_those_of_the_model_unfused(make_llama: Any) -> None:
    model = make_llama(5, hidden=32)
    unfused = replace_linear(model, lambda layers: [Int8Linear(layer) for layer in layers])
    tokens = torch.tensor([[1, 2, 3, 4, 5]])
    with torch.no_grad():
        found, expected = (each(tokens).logits for each in (to_int8(model, "cpu"), unfused))
    torch.testing.assert_close(found, expected, rtol=0, atol=0.05)
    assert (expected - model(tokens).logits).abs().max() > 1e-3


def test_other_types_and_other_models_keep_their_layers(make_llama: Any) -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    half = make_llama(5).bfloat16()
    sizes = {"vocab_size": 8, "hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    qwen = Qwen2ForCausalLM(Qwen2Config(**sizes, num_key_value_heads=1, num_hidden_layers=1)).eval()
    for model in (half, qwen):
        assert not any(isinstance(module, FusedLayer) for module in fuse_layers(model).modules())
