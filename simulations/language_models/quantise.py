"""A draft made from the target by rounding its weights (self-speculation by quantisation)."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from specproof.theory.errors import InvalidInput


def round_to_nearest(model: Any, bits: int, group: int = 32) -> Any:
    r"""A copy of the model whose linear layers have weights of ``bits`` bits, rounded to nearest, group by group.

    In each group of consecutive weights along the input dimension, with :math:`L = 2^{bits-1} - 1`,

    .. math:: s = \max_i |w_i| / L, \qquad w_i \mapsto s \cdot \mathrm{round}(w_i / s),

    a symmetric grid of 2L + 1 values; a group of zeros stays zero. The output head and the embedding, which may be
    tied to it, keep their weights, and all that is not rounded is shared with ``model``. Results are stored in the
    weights' own dtype: this is about the laws, not the speed, of a quantised draft.

    Why symmetric: the default target's own weights come from an asymmetric 4-bit block format (Q4_1: a minimum and a
    step for every 32 weights). Asymmetric round-to-nearest on those groups finds the same minimum and step again and
    changes nothing, so that draft and target would be equal and nothing ever rejected.

    Parameters
    ----------
    model : transformers causal language model
    bits : int
        2 to 8.
    group : int
        Weights that share a scale; must divide the input dimension of every linear layer.

    Raises
    ------
    InvalidInput
        If ``bits`` is out of range or ``group`` does not divide an input dimension.
    """
    if not 2 <= bits <= 8:
        raise InvalidInput(f"bits is {bits}: round-to-nearest takes 2 to 8")
    # Entries in the memo are not copied: the parameters are shared until replaced below.
    rounded = copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})
    head = rounded.get_output_embeddings()
    for name, layer in rounded.named_modules():
        if isinstance(layer, nn.Linear) and layer is not head:
            if group < 1 or layer.in_features % group:
                raise InvalidInput(
                    f"group is {group}, but layer {name} has {layer.in_features} inputs: choose a divisor of that"
                )
            layer.weight = nn.Parameter(_round(layer.weight.detach(), bits, group), requires_grad=False)
    return rounded


def _round(weight: Tensor, bits: int, group: int) -> Tensor:
    levels = 2 ** (bits - 1) - 1
    grouped = weight.reshape(-1, group)
    scale = grouped.abs().amax(dim=1, keepdim=True) / levels
    scale = torch.where(scale > 0, scale, 1.0)
    return (torch.round(grouped / scale) * scale).reshape(weight.shape)
