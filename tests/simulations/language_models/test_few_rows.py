"""Layers that choose their product: the same numbers as torch's layers, and the product that was the fastest."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from specproof.simulations.language_models import few_rows
from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.level_by_level import LevelByLevel


@pytest.mark.parametrize("make", few_rows.PRODUCTS)
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_every_product_is_the_product(make: Any, rows: int) -> None:
    torch.manual_seed(rows)
    weight, inputs = torch.randn(24, 48), torch.randn(rows, 48)
    found = make(weight)(inputs)
    assert found.is_contiguous()
    torch.testing.assert_close(found.double(), inputs.double() @ weight.double().T, atol=1e-4, rtol=1e-5)


def _slow(weight: Tensor) -> few_rows.Product:
    def multiply(inputs: Tensor) -> Tensor:
        if len(inputs) > 2:
            time.sleep(0.02)
        return inputs @ weight.T

    return multiply


def _slow_for_few(weight: Tensor) -> few_rows.Product:
    def multiply(inputs: Tensor) -> Tensor:
        if len(inputs) <= 2:
            time.sleep(0.02)
        return inputs @ weight.T

    return multiply


def test_each_number_of_rows_has_the_product_that_was_the_fastest_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_rows, "PRODUCTS", (_slow, _slow_for_few))
    chosen = few_rows.fastest_products([torch.randn(8, 6), torch.randn(8, 6)], rows=(1, 2, 4))
    names = [{rows: product.__qualname__.split(".")[0] for rows, product in each.items()} for each in chosen]
    assert names == [{1: "_slow", 2: "_slow", 3: "_slow_for_few", 4: "_slow_for_few"}] * 2


def test_a_product_that_is_wrong_or_missing_is_never_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Tensor) -> few_rows.Product:
        raise AttributeError("no such kernel")

    wrong = lambda weight: lambda inputs: (inputs @ weight.T) * 1.01  # noqa: E731
    nothing = lambda weight: lambda inputs: torch.full((len(inputs), len(weight)), torch.nan)  # noqa: E731
    monkeypatch.setattr(few_rows, "PRODUCTS", (wrong, nothing, missing, _slow))
    (chosen,) = few_rows.fastest_products([torch.randn(8, 6)], rows=(1,))
    assert chosen[1].__qualname__.startswith("_slow.")


@pytest.mark.parametrize("make", few_rows.PRODUCTS)
def test_a_model_of_such_layers_is_the_model(make_llama: Any, monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    model = make_llama(5, hidden=32)
    monkeypatch.setattr(few_rows, "PRODUCTS", (make,))
    fast = few_rows.fast_linear(model)
    layers = [module for module in fast.modules() if isinstance(module, few_rows.FewRows)]
    assert len(layers) == sum(isinstance(module, torch.nn.Linear) for module in model.modules()) > 0
    assert not any(isinstance(module, torch.nn.Linear) for module in fast.modules())
    assert {id(each) for each in fast.parameters()} == {id(each) for each in model.parameters()}
    assert fast.get_output_embeddings().weight is model.get_output_embeddings().weight
    tokens = torch.tensor([[1, 2, 3, 4, 5], [2, 2, 1, 0, 6]])
    for width in (1, 2, 5):
        with torch.no_grad():
            found, expected = (each(tokens[:, :width]).logits for each in (fast, model))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_a_bias_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = torch.nn.Linear(6, 8)
    products = few_rows.fastest_products([layer.weight.detach()])[0]
    found = few_rows.FewRows(layer, products)(torch.ones(2, 3, 6))
    torch.testing.assert_close(found, layer(torch.ones(2, 3, 6)))


def test_a_decode_with_the_fast_target_is_the_decode(pair: Any) -> None:
    fast = few_rows.with_fast_products(pair)
    assert fast.draft is pair.draft
    runs = [
        speculative_decode(each, [[1, 2], [3]] * 20, 12, 3, LevelByLevel(), np.random.default_rng(1))
        for each in (pair, fast)
    ]
    assert np.array_equal(runs[0].tokens, runs[1].tokens)


def test_on_other_devices_the_pair_stays_as_it_is(pair: Any) -> None:
    elsewhere = replace(pair, target=replace(pair.target, device="cuda"))
    assert few_rows.with_fast_products(elsewhere) is elsewhere
