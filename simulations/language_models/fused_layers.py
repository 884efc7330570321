"""Llama's decoder layers in fewer calls: on a CPU, what is done to a few tokens takes little longer than to call it.

The sums are those of transformers' layers, up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import LlamaModel

from specproof.simulations.language_models.linear_layers import copy_sharing_parameters

Tables = tuple[Tensor, Tensor]
"""Cosines and sines of the rotation at each position, shape (B, m, 1, D)."""


def fuse_layers(model: Any, layer: type[FusedLayer] | None = None, rotary: type[SignedRotary] | None = None) -> Any:
    """A copy of a model, its parameters shared, with :class:`FusedLayer` in the places of Llama's decoder layers.

    The weights that are multiplied together are held twice. Other models, and those that are not in float32 on a CPU,
    keep their layers.

    Parameters
    ----------
    model : transformers causal language model
        In evaluation mode.
    layer, rotary : class, optional
        Other classes of layers and of tables.

    Examples
    --------
    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> sizes = {"vocab_size": 8, "hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    >>> model = LlamaForCausalLM(LlamaConfig(**sizes, num_hidden_layers=1)).eval()
    >>> fused = fuse_layers(model)
    >>> torch.allclose(fused(torch.tensor([[1, 2]])).logits, model(torch.tensor([[1, 2]])).logits, atol=1e-5)
    True
    """
    changed = copy_sharing_parameters(model)
    for part in changed.modules():
        if type(part) is LlamaModel and (part.device.type, part.dtype) == ("cpu", torch.float32):
            part.rotary_emb = (rotary or SignedRotary)(part.rotary_emb)
            part.layers = nn.ModuleList(map(layer or FusedLayer, part.layers))
            part.norm = Norm(part.norm)
            # A mask of numbers to add, and never none; from one of truths every layer would make them anew.
            part.config._attn_implementation = "eager"
    return changed


class SignedRotary(nn.Module):
    """The tables of a pass as all its layers use them, with the sign of the rotation in the sines."""

    def __init__(self, rotary: Any) -> None:
        super().__init__()
        self.rotary: Any = rotary

    def forward(self, hidden: Tensor, position_ids: Tensor) -> Tables:
        """Give the tables of these positions, shape (B, m)."""
        cosines, sines = self.rotary(hidden, position_ids=position_ids)
        sines[..., : sines.shape[-1] // 2].neg_()
        return cosines[:, :, None], sines[:, :, None]


class Norm(nn.Module):
    """Llama's norm in five calls: torch's own takes twice as long."""

    epsilon: Tensor

    def __init__(self, norm: Any) -> None:
        super().__init__()
        self.weight = norm.weight
        self.register_buffer("epsilon", torch.tensor(norm.variance_epsilon))

    def forward(self, hidden: Tensor) -> Tensor:
        """Divide by the root of the mean square, and multiply by the weight."""
        length = torch.linalg.vector_norm(hidden, dim=-1, keepdim=True)
        mean_square = torch.addcmul(self.epsilon, length, length, value=1 / hidden.shape[-1])
        return cast(Tensor, hidden * mean_square.rsqrt_() * self.weight)


class FusedLayer(nn.Module):
    """A decoder layer with one product for queries, keys and values, and one for gate and up.

    Parameters
    ----------
    layer : LlamaDecoderLayer
    """

    def __init__(self, layer: Any) -> None:
        super().__init__()
        attention, mlp = layer.self_attn, layer.mlp
        inputs = (attention.q_proj, attention.k_proj, attention.v_proj)
        self.number, self.width, self.scaling = attention.layer_idx, attention.head_dim, attention.scaling
        self.heads = [linear.out_features // self.width for linear in inputs]
        self.first_norm, self.second_norm = Norm(layer.input_layernorm), Norm(layer.post_attention_layernorm)
        self.qkv, self.out = _stacked(inputs), attention.o_proj
        self.gate_up, self.down = _stacked((mlp.gate_proj, mlp.up_proj)), mlp.down_proj
        self.activation = mlp.act_fn

    def forward(
        self,
        hidden: Tensor,
        *,
        attention_mask: Tensor,
        past_key_values: Any,
        position_embeddings: Tables,
        **_: object,
    ) -> Tensor:
        """Give the hidden states after this layer, shape (B, m, H), called as transformers calls its own."""
        rows = hidden.flatten(0, 1)  # all products take them so
        qkv = self.qkv(self.first_norm(rows))
        attended = self._attended(
            qkv.view(*hidden.shape[:2], -1, self.width), attention_mask, past_key_values, position_embeddings
        )
        rows = rows + self.out(attended)
        gate, up = self.gate_up(self.second_norm(rows)).chunk(2, dim=-1)
        return cast(Tensor, rows + self.down(self.activation(gate) * up)).view(hidden.shape)

    def _attended(self, qkv: Tensor, mask: Tensor, cache: Any, tables: Tables) -> Tensor:
        cosines, sines = tables
        turned, values = qkv[:, :, : -self.heads[2]], qkv[:, :, -self.heads[2] :].transpose(1, 2)
        turned = torch.addcmul(turned * cosines, turned.roll(self.width // 2, -1), sines).transpose(1, 2)
        queries, keys = turned[:, : self.heads[0]], turned[:, self.heads[0] :]
        if cache is not None:
            keys, values = cache.update(keys, values, self.number)
        attended = scaled_dot_product_attention(queries, keys, values, mask, scale=self.scaling, enable_gqa=True)
        return attended.transpose(1, 2).flatten(2).flatten(0, 1)


def _stacked(layers: Sequence[nn.Linear]) -> nn.Linear:
    """Make one layer with the outputs of all of them."""
    stacked = nn.Linear(1, 1, bias=False, device="meta")
    weights, biases = ([getattr(layer, name) for layer in layers] for name in ("weight", "bias"))
    stacked.weight = nn.Parameter(torch.cat(weights).detach(), requires_grad=False)
    if biases[0] is not None:
        stacked.bias = nn.Parameter(torch.cat(biases).detach(), requires_grad=False)
    return stacked
