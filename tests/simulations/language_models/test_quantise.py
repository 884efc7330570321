"""Rounding weights to nearest: the grid, what is left alone, and why it has to be symmetric."""

from __future__ import annotations

from typing import Any

import gguf
import numpy as np
import pytest
import torch

from specproof.simulations.language_models.quantise import round_to_nearest
from specproof.theory.errors import InvalidInput

GROUP = 8


@pytest.mark.parametrize("bits", range(2, 9))
def test_every_group_lies_on_its_grid_at_the_nearest_point(make_llama: Any, bits: int) -> None:
    model = make_llama(3)
    rounded = round_to_nearest(model, bits, GROUP)
    levels = 2 ** (bits - 1) - 1
    before = model.model.layers[1].mlp.up_proj.weight.detach().double().numpy().reshape(-1, GROUP)
    after = rounded.model.layers[1].mlp.up_proj.weight.double().numpy().reshape(-1, GROUP)
    scale = np.abs(before).max(axis=1, keepdims=True) / levels
    steps = after / scale
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    assert np.abs(np.round(steps)).max() == levels
    assert (np.abs(after - before) <= scale / 2 * (1 + 1e-5)).all()
    assert (after != before).any()


def test_only_linear_weights_but_for_the_head_change_and_the_rest_is_shared(make_llama: Any) -> None:
    model = make_llama(3)
    original = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    rounded = dict(round_to_nearest(model, 3, GROUP).named_parameters())
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, rounded[name])}
    assert changed == {name for name in original if "_proj" in name}
    assert rounded["lm_head.weight"] is model.lm_head.weight
    assert rounded["model.embed_tokens.weight"] is model.model.embed_tokens.weight
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, original[name])


def test_a_tied_head_stays_tied_and_unrounded(make_llama: Any) -> None:
    model = make_llama(3)
    model.lm_head.weight = model.model.embed_tokens.weight
    rounded = round_to_nearest(model, 2, GROUP)
    assert rounded.lm_head.weight is rounded.model.embed_tokens.weight is model.lm_head.weight


def test_a_group_of_zeros_stays_zero(make_llama: Any) -> None:
    model = make_llama(3)
    with torch.no_grad():
        model.model.layers[0].mlp.gate_proj.weight[:, :GROUP] = 0
    weight = round_to_nearest(model, 4, GROUP).model.layers[0].mlp.gate_proj.weight
    assert (weight[:, :GROUP] == 0).all()
    assert torch.isfinite(weight).all()
    assert (weight[:, GROUP:] != 0).any()


def test_asymmetric_rounding_would_change_nothing_about_the_default_targets_format() -> None:
    """On weights as Q4_1 gives them, minimum and step of every block are found again, so draft would equal target."""
    rng = np.random.default_rng(4)
    packed = gguf.quants.quantize(rng.standard_normal((64, 576)).astype(np.float32), gguf.GGMLQuantizationType.Q4_1)
    weights = gguf.quants.dequantize(packed, gguf.GGMLQuantizationType.Q4_1).reshape(-1, 32).astype(np.float64)
    least = weights.min(axis=1, keepdims=True)
    step = (weights.max(axis=1, keepdims=True) - least) / 15
    asymmetric = least + step * np.round((weights - least) / step)
    scale = np.abs(weights).max(axis=1, keepdims=True) / 7
    symmetric = scale * np.round(weights / scale)
    np.testing.assert_allclose(asymmetric, weights, atol=1e-6)
    assert np.abs(symmetric - weights).mean() > 0.05


@pytest.mark.parametrize(
    ("bits", "group", "message"), [(1, 8, "bits is 1"), (9, 8, "bits is 9"), (4, 32, "group is 32")]
)
def test_wrong_settings_are_refused(make_llama: Any, bits: int, group: int, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        round_to_nearest(make_llama(3), bits, group)
