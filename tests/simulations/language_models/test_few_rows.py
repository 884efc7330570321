"""Layers that multiply few rows as columns: the same numbers, the same weights, and only where it is meant."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from specproof.simulations.language_models import few_rows
from specproof.simulations.language_models.few_rows import MOST_ROWS, FewRowsLinear, reads_few_rows_at_once


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(24,), (1, 24), (2, 24), (3, 5, 24), (MOST_ROWS + 1, 24)])
def test_a_layer_gives_what_it_gave(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(1)
    linear, inputs = torch.nn.Linear(24, 7, bias=bias), torch.randn(shape)
    torch.testing.assert_close(FewRowsLinear(linear)(inputs), linear(inputs))


def test_only_a_few_rows_are_multiplied_as_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def noted(rows: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        seen.append(len(rows))
        return rows @ weight.T

    monkeypatch.setattr(few_rows, "multiply_as_columns", noted)
    layer = FewRowsLinear(torch.nn.Linear(4, 3))
    for count in (1, 2, MOST_ROWS, MOST_ROWS + 1):
        layer(torch.zeros(count, 4))
    assert seen == [2, MOST_ROWS]


def test_a_model_keeps_its_weights_and_its_distributions(make_llama: Any) -> None:
    model = make_llama(5, hidden=32)
    made = reads_few_rows_at_once(model)
    assert {id(each) for each in made.parameters()} == {id(each) for each in model.parameters()}
    assert not any(isinstance(module, FewRowsLinear) for module in model.modules())
    tokens = torch.tensor([[1, 2, 3, 4, 5]])
    with torch.inference_mode():
        torch.testing.assert_close(made(tokens).logits, model(tokens).logits)
