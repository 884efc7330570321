"""A target whose linear layers read a few tokens for about the price of one, as verifying drafts needs it."""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

MOST_ROWS = 16
"""Up to so many rows a CPU multiplies them as columns; ``python -m benchmarks.speed`` prints what that saves."""


def reads_few_rows_at_once(model: Any) -> Any:
    r"""A model that shares all weights with the given one, and multiplies few rows in the faster of two ways.

    A layer computes :math:`x W^\top` for n rows x, one for each token that it reads. As long as n is small, what that
    costs is the reading of W from memory, and five rows should cost about what one does. On a CPU torch's ``linear``
    can take two to three times that, where :math:`(W x^\top)^\top`, the same numbers up to rounding, does not.
    One row, many rows and other devices are left to ``linear``.

    Parameters
    ----------
    model : transformers causal language model
    """
    made = copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})
    layers = [
        (parent, name)
        for parent in made.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Linear)
    ]
    for parent, name in layers:
        setattr(parent, name, FewRowsLinear(getattr(parent, name)))
    return made


class FewRowsLinear(nn.Module):
    """A linear layer with the weights of another, which multiplies 2 to ``MOST_ROWS`` rows on a CPU as columns."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias

    def forward(self, inputs: Tensor) -> Tensor:
        """Multiply, shape (..., inputs) to (..., outputs)."""
        rows = inputs.shape[:-1].numel()
        if not (1 < rows <= MOST_ROWS and inputs.device.type == "cpu"):
            return functional.linear(inputs, self.weight, self.bias)
        product = multiply_as_columns(inputs.reshape(rows, -1), self.weight).reshape(*inputs.shape[:-1], -1)
        return product if self.bias is None else product + self.bias


def multiply_as_columns(rows: Tensor, weight: Tensor) -> Tensor:
    """Multiply rows x of shape (n, inputs) by a weight W of shape (outputs, inputs): (W xᵀ)ᵀ, shape (n, outputs)."""
    return (weight @ rows.T).T
