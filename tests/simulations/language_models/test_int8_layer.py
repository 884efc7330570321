"""Layers with compiled loops against the same products with torch's calls between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from ragged_calls import ragged_calls

from specproof.simulations.language_models import int8_layer
from specproof.simulations.language_models.fused_layers import FusedLayer, fuse_layers
from specproof.simulations.language_models.int8 import Int8Linear, to_int8
from specproof.simulations.language_models.int8_layer import Int8Layer, PassOfFew
from specproof.simulations.language_models.linear_layers import replace_linear
from specproof.simulations.language_models.model import CachedModel, LanguageModel

CLOSE = {"rtol": 0.0, "atol": 0.02}
"""A number that lies between two of bfloat16 may become either: one part in 256 of logits of about 2."""

FAR = 10 * CLOSE["atol"]

SETTINGS = {
    "one head of keys": {},
    "two of four": {"num_attention_heads": 4, "num_key_value_heads": 2},
    "biases": {"attention_bias": True, "mlp_bias": True},
    "another activation": {"hidden_act": "gelu"},
    "scaled rotation": {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}},
    "wide heads": {"head_dim": 12},
}


@pytest.fixture(params=SETTINGS.values(), ids=SETTINGS.keys())
def models(request: Any, make_llama: Any) -> list[LanguageModel]:
    """The layers of torch's calls, and those that are tested; the norms weigh unequally."""
    model = make_llama(7, hidden=32, **request.param)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.copy_(torch.linspace(0.5, 1.5, 32))
            elif "embed" in name:
                parameter.mul_(3.0)
    plain = replace_linear(fuse_layers(model), lambda layers: [Int8Linear(layer) for layer in layers])
    made = to_int8(model, "cpu")
    assert all(type(layer) is FusedLayer for layer in plain.model.layers)
    assert all(type(layer) is Int8Layer for layer in made.model.layers)
    return [LanguageModel(module, 8, "cpu") for module in (plain, made)]


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("cached", [False, True])
def test_logits_are_those_of_torchs_calls(models: list[LanguageModel], width: int, cached: bool) -> None:
    tokens = torch.tensor([[1, 2, 3, 4, 5], [2, 2, 1, 0, 6]])[:, :width]
    with torch.no_grad():
        expected, found = (each.module(tokens, use_cache=cached).logits for each in models)
    torch.testing.assert_close(found, expected, **CLOSE)


def test_with_padding_anywhere_and_tokens_taken_back(models: list[LanguageModel]) -> None:
    caches = [CachedModel(each, 4) for each in models]
    for tokens, keep, back in ragged_calls(4, 8):
        expected, found = (cache.append(tokens, keep) for cache in caches)
        torch.testing.assert_close(found[keep], expected[keep], **CLOSE)
        for cache in caches:
            cache.forget(back)


def test_many_tokens_are_torchs(models: list[LanguageModel], monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = torch.arange(int8_layer.FEW + 1)[None] % 8
    monkeypatch.setattr(int8_layer, "_turn", None)
    with torch.no_grad():
        expected, found = (each.module(tokens).logits for each in models)
        assert torch.equal(found, expected)
        with pytest.raises(TypeError, match="NoneType"):
            models[1].module(tokens[:, 1:])


@pytest.mark.parametrize("wrong", ["_norms", "sines", "mask"])
def test_every_part_matters_so_that_the_comparisons_can_fail(
    models: list[LanguageModel], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attend, forward = Int8Layer._attend, PassOfFew.forward

    def unturned(self: PassOfFew, hidden: torch.Tensor, position_ids: torch.Tensor) -> Any:
        found = forward(self, hidden, position_ids)
        return found._replace(sines=0.0 * found.sines)

    if wrong == "_norms":
        for layer in models[1].module.model.layers:
            layer._norms = [(weight[::-1].copy(), small) for weight, small in layer._norms]
    elif wrong == "sines":
        monkeypatch.setattr(PassOfFew, "forward", unturned)
    else:
        monkeypatch.setattr(Int8Layer, "_attend", lambda self, heads, mask, cache: attend(self, heads, 0 * mask, cache))
    tokens = torch.tensor([[1, 2, 3, 4, 5]])
    with torch.no_grad():
        expected, found = (each.module(tokens).logits for each in models)
    assert (found - expected).abs().max() > FAR


def test_rounding_is_torchs() -> None:
    special = [
        0.0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        1e-45,
        -1e-40,
        3.4e38,
        1 + 2.0**-8,
        1 + 3 * 2.0**-8,
        1 + 2.0**-8 + 2.0**-20,
    ]
    numbers = np.concatenate([special, np.random.default_rng(1).normal(size=1000)]).astype(np.float32)
    made = np.empty(numbers.size, dtype=np.uint16)
    int8_layer._round(numbers, made)
    expected = torch.from_numpy(numbers).bfloat16()
    torch.testing.assert_close(torch.from_numpy(made).view(torch.bfloat16), expected, rtol=0, atol=0, equal_nan=True)
    wide = np.empty_like(numbers)
    int8_layer._widen(made, wide)
    np.testing.assert_array_equal(wide, expected.float().numpy())
    not_one = np.array([0x7FFFFFFF, 0xFFFFFFFF], dtype=np.uint32).view(np.float32)
    int8_layer._round(not_one, made[:2])
    assert torch.from_numpy(made[:2]).view(torch.bfloat16).isnan().all()
