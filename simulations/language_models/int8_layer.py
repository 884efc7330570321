"""Llama's decoder layer with int8 weights for a few tokens: a compiled loop between one product and the next.

What torch does between the products of a draft's step are some dozen calls a layer, which take half as long as they do.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from specproof.simulations.language_models.fused_layers import FusedLayer, SignedRotary, Tables
from specproof.theory.compiled import compiled

FEW = 16
"""More tokens in a call are left to torch, which shares them out to the cores."""

Floats = NDArray[np.float32]
Halves = NDArray[np.uint16]
"""The bits of numbers of type bfloat16, which NumPy does not have."""

_ANY_ORDER = {"reassoc", "contract", "nsz"}
"""Sums may be taken in any order."""


class Pass(NamedTuple):
    """What the layers use in one call of the model, one after the other: tables, and memory for what each makes."""

    cosines: Floats
    sines: Floats
    """As in :class:`SignedRotary`, shape (B, m, D)."""
    heads: list[Tensor]
    """Queries, keys and values of B texts and m tokens, shape (B, heads, m, D)."""
    normal: Tensor
    """A norm's output, shape (B m, H) as the next two, in bfloat16 as the next."""
    attended: Tensor
    total: Floats
    """The layer's input and what attention adds to it."""


class PassOfFew(SignedRotary):
    """A :class:`SignedRotary` that gives a few tokens a :class:`Pass` for the tables alone."""

    def forward(self, hidden: Tensor, position_ids: Tensor) -> Any:
        """Give what the layers use for these positions, shape (B, m)."""
        tables = super().forward(hidden, position_ids)
        texts, tokens, size = hidden.shape
        if texts * tokens > FEW:
            return tables
        cosines, sines = (table[:, :, 0].numpy() for table in tables)
        queries, keys = self.rotary.config.num_attention_heads, self.rotary.config.num_key_value_heads
        count, width = texts * tokens, cosines.shape[2]
        return Pass(
            cosines,
            sines,
            [torch.empty(texts, heads, tokens, width) for heads in (queries, keys, keys)],
            torch.empty(count, size, dtype=torch.bfloat16),
            torch.empty(count, queries * width, dtype=torch.bfloat16),
            np.empty((count, size), dtype=np.float32),
        )


class Int8Layer(FusedLayer):
    """A :class:`FusedLayer` whose linear layers are :class:`~specproof.simulations.language_models.int8.Int8Linear`.

    Products take bfloat16 and give it; norms, rotation, attention and the sums of layers are of float32.
    """

    def forward(self, hidden: Tensor, *, position_embeddings: Tables | Pass, **others: Any) -> Tensor:
        """Give the hidden states after this layer, shape (B, m, H), called as transformers calls its own."""
        if not isinstance(position_embeddings, Pass):
            return super().forward(hidden, position_embeddings=position_embeddings, **others)
        now, rows = position_embeddings, hidden.detach().reshape(-1, hidden.shape[-1]).numpy()
        normal = _bits(now.normal)
        first, second = self._norms
        _normalise(rows, *first, normal)
        _turn(_bits(self.qkv(now.normal)), now.cosines, now.sines, *(part.numpy() for part in now.heads))
        attended = self._attend(now.heads, others["attention_mask"], others["past_key_values"])
        _join(attended.numpy(), _bits(now.attended))
        _add(rows, _bits(self.out(now.attended)), now.total)
        _normalise(now.total, *second, normal)
        gate_up = self.gate_up(now.normal)
        half = gate_up.shape[1] // 2
        added = self.down(self.activation(gate_up[:, :half]).mul_(gate_up[:, half:]))
        after = torch.empty_like(hidden)
        _add(now.total, _bits(added), after.view(rows.shape).numpy())
        return after

    @cached_property
    def _norms(self) -> list[tuple[Floats, float]]:
        """The weights of both norms, and what is added to a mean square."""
        return [(norm.weight.detach().numpy(), norm.epsilon.item()) for norm in (self.first_norm, self.second_norm)]

    def _attend(self, heads: list[Tensor], mask: Tensor, cache: Any) -> Tensor:
        queries, keys, values = heads
        if cache is not None:
            keys, values = cache.update(keys, values, self.number)  # which copies them
        return scaled_dot_product_attention(queries, keys, values, mask, scale=self.scaling, enable_gqa=True)


def _bits(numbers: Tensor) -> Halves:
    bits: Halves = numbers.view(torch.uint16).numpy()
    return bits


@compiled(inline=True)
def _widen(halves: Halves, wide: Floats) -> None:
    bits = wide.view(np.uint32)
    for place in range(halves.size):
        bits[place] = np.uint32(halves[place]) << np.uint32(16)


@compiled(inline=True)
def _round(wide: Floats, halves: Halves) -> None:
    """To the nearest, and of two as near to the even one; what is not a number stays so."""
    bits = wide.view(np.uint32)
    for place in range(halves.size):
        number = bits[place]
        nearest = (number + np.uint32(0x7FFF) + ((number >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
        halves[place] = nearest if (number & np.uint32(0x7FFFFFFF)) <= np.uint32(0x7F800000) else np.uint32(0x7FC0)


@compiled(fastmath=_ANY_ORDER)
def _normalise(rows: Floats, weight: Floats, small: float, normal: Halves) -> None:
    """Divide by the root of the mean square, and multiply by the weight."""
    count, size = rows.shape
    scaled = np.empty(size, dtype=np.float32)
    for row in range(count):
        squares = np.float32(0.0)
        for place in range(size):
            squares += rows[row, place] * rows[row, place]
        scale = np.float32(1.0 / np.sqrt(squares / size + small))
        for place in range(size):
            scaled[place] = rows[row, place] * scale * weight[place]
        _round(scaled, normal[row])


@compiled()
def _turn(qkv: Halves, cosines: Floats, sines: Floats, queries: Floats, keys: Floats, values: Floats) -> None:
    """Take heads of queries, of keys and of values apart, and turn the first two."""
    texts, _, tokens, width = values.shape
    halfway, straight = width // 2, np.empty(width, dtype=np.float32)
    for text in range(texts):
        table = text % cosines.shape[0]
        for token in range(tokens):
            row, begin = qkv[text * tokens + token], 0
            for part in (queries, keys):
                for head in range(part.shape[1]):
                    _widen(row[begin : begin + width], straight)
                    for place in range(width):
                        across = straight[place - halfway]
                        part[text, head, token, place] = (
                            straight[place] * cosines[table, token, place] + across * sines[table, token, place]
                        )
                    begin += width
            for head in range(values.shape[1]):
                _widen(row[begin : begin + width], values[text, head, token])
                begin += width


@compiled()
def _join(attended: Floats, joined: Halves) -> None:
    """Put the heads of each token side by side."""
    texts, heads, tokens, width = attended.shape
    for text in range(texts):
        for token in range(tokens):
            row = joined[text * tokens + token]
            for head in range(heads):
                _round(attended[text, head, token], row[head * width : (head + 1) * width])


@compiled()
def _add(rows: Floats, added: Halves, total: Floats) -> None:
    for row in range(rows.shape[0]):
        _widen(added[row], total[row])
        for place in range(rows.shape[1]):
            total[row, place] += rows[row, place]
