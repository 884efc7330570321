"""A draft made from the target by keeping its weights in eight bits, and read by a kernel that is faster for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from specproof.simulations.language_models.fused_layers import fuse_layers
from specproof.simulations.language_models.int8_layer import Int8Layer, PassOfFew
from specproof.simulations.language_models.linear_layers import replace_linear
from specproof.theory.errors import InvalidInput

KERNEL = "_weight_int8pack_mm"
"""torch's product of bfloat16 activations and int8 weights, which it keeps for quantised language models."""

TOLERANCE = 0.02
"""How far the kernel may be from the product in float64, as a share of its largest entry: bfloat16 has 8 bits."""


def to_int8(model: Any, device: str) -> Any:
    r"""A copy of the model with int8 weights in its linear layers, and everything else as it is.

    Each output channel i of a layer, the output head included, has a scale of its own,

    .. math:: s_i = \max_j |w_{ij}| / 127, \qquad w_{ij} \mapsto s_i \, \mathrm{round}(w_{ij} / s_i).

    One byte is read for a weight instead of four, which is most of what decoding a token costs on a CPU; the rest is in
    as few calls as :func:`specproof.simulations.language_models.fused_layers.fuse_layers` can make of it.

    Parameters
    ----------
    model : transformers causal language model
    device : str
        Where it is.

    Raises
    ------
    InvalidInput
        If torch has no such kernel for the device, or it computes something else here.
    """
    require_kernel(device)
    fused = fuse_layers(model, Int8Layer, PassOfFew)
    return replace_linear(fused, lambda layers: [Int8Linear(layer) for layer in layers])


def require_kernel(device: str) -> None:
    """Refuse a device on which torch's product with int8 weights is missing or wrong.

    Raises
    ------
    InvalidInput
        Naming the kernel, the device and the version of torch.
    """
    remedy = "choose rtn:8, whose laws are about the same, or another version of torch"
    where = f"the pair int8 needs torch.{KERNEL} on {device}, which"
    layer = nn.Linear(96, 64, bias=False, dtype=torch.float64)
    inputs = torch.linspace(-1, 1, 3 * 96, dtype=torch.float64).reshape(3, 96)
    with torch.no_grad():
        expected = layer(inputs)
        try:
            found = Int8Linear(layer.to(device))(inputs.to(device)).to("cpu")
        except (AttributeError, RuntimeError, NotImplementedError):
            raise InvalidInput(f"{where} torch {torch.__version__} does not have: {remedy}") from None
    if (found - expected).abs().max() > TOLERANCE * expected.abs().max():
        raise InvalidInput(f"{where} is wrong in torch {torch.__version__}: {remedy}")


class Int8Linear(nn.Module):
    """A linear layer with int8 weights and a scale for each output channel.

    The kernel takes bfloat16 and gives it; what is of another type is converted before and after.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weights = linear.weight.detach()
        scale = weights.abs().amax(dim=1, keepdim=True) / 127
        scale = torch.where(scale > 0, scale, 1.0)
        self.weight = torch.round(weights / scale).to(torch.int8)
        self.scale = scale[:, 0].to(torch.bfloat16)
        self.bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, inputs: Tensor) -> Tensor:
        """Multiply, shape (..., inputs) to (..., outputs) of the same type."""
        rows = inputs if inputs.ndim == 2 else inputs.flatten(0, -2)
        result: Tensor = getattr(torch, KERNEL)(rows.to(torch.bfloat16), self.weight, self.scale)
        if self.bias is not None:
            result = result + self.bias
        result = result.to(inputs.dtype)
        return result if inputs.ndim == 2 else result.view(*inputs.shape[:-1], -1)
