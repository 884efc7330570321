"""The int8 draft against rounded weights in full precision, and what is said where its kernel is missing or wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from specproof.simulations.language_models import int8
from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.language_models.model import LanguageModel
from specproof.simulations.language_models.model_pair import ModelPair
from specproof.theory.errors import InvalidInput


@pytest.mark.parametrize("bias", [False, True])
def test_a_layer_is_its_rounded_weights_up_to_bfloat16(bias: bool) -> None:
    torch.manual_seed(3)
    linear = torch.nn.Linear(96, 40, bias=bias)
    inputs = torch.randn(2, 5, 96).bfloat16()
    scale = linear.weight.detach().abs().amax(dim=1, keepdim=True) / 127
    rounded = torch.round(linear.weight.detach() / scale) * scale
    expected = torch.nn.functional.linear(inputs.float(), rounded, linear.bias)
    found = int8.Int8Linear(linear)(inputs)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0.02)
    assert (rounded - linear.weight).abs().max() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_layer_gives_the_type_that_it_is_given(dtype: torch.dtype) -> None:
    layer = int8.Int8Linear(torch.nn.Linear(32, 4))
    assert layer(torch.ones(2, 3, 32, dtype=dtype)).dtype == dtype


def test_a_channel_of_zeros_stays_zero() -> None:
    linear = torch.nn.Linear(32, 4, bias=False)
    torch.nn.init.zeros_(linear.weight)
    assert not int8.Int8Linear(linear)(torch.ones(1, 32, dtype=torch.bfloat16)).any()


def test_the_draft_is_close_to_the_target_which_is_left_as_it_was(make_llama: Any) -> None:
    target = make_llama(5, hidden=32)
    before = {name: value.clone() for name, value in target.state_dict().items()}
    draft = int8.to_int8(target, "cpu")
    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())
    assert {id(parameter) for parameter in draft.parameters()} < {id(parameter) for parameter in target.parameters()}
    tokens = torch.tensor([[1, 2, 3, 4, 5]])
    with torch.no_grad():
        laws = [torch.softmax(model(tokens).logits.double(), dim=-1) for model in (draft, target)]
    assert 1e-6 < 0.5 * (laws[0] - laws[1]).abs().sum(dim=-1).max() < 0.1


def test_it_drafts_for_its_target(make_llama: Any) -> None:
    target = make_llama(5, hidden=32)
    models = (LanguageModel(module, 8, "cpu") for module in (int8.to_int8(target, "cpu"), target))
    pair = ModelPair("int8", *models, None)
    run = speculative_decode(pair, [[1, 2], [3]] * 40, 20, 3, LevelByLevel(), np.random.default_rng(1))
    assert 0.9 < run.round_accepted.sum() / run.round_tested.sum() < 1


@pytest.mark.parametrize(
    ("kernel", "message"),
    [("_no_such_kernel", "torch .* does not have"), ("_weight_wrong", "is wrong in torch")],
)
def test_without_the_kernel_one_line_names_it(monkeypatch: pytest.MonkeyPatch, kernel: str, message: str) -> None:
    monkeypatch.setattr(int8, "KERNEL", kernel)
    monkeypatch.setattr(torch, "_weight_wrong", lambda x, w, s: x @ w.T.to(x.dtype), raising=False)
    with pytest.raises(InvalidInput, match=rf"int8 needs torch\.{kernel} on cpu, which {message}") as caught:
        int8.require_kernel("cpu")
    assert "\n" not in str(caught.value)
