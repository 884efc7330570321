"""Linear layers that multiply by whichever product is the fastest on this machine at the number of rows that they get.

A call of the target reads one token where it decodes alone, and a few where it verifies drafts. Libraries tune products
of one row and of many; between them some take twice as long for two rows as for one, and others no longer at all. All
products here compute the same sums, in another order: results agree up to rounding.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from specproof.simulations.language_models.fused_layers import fuse_layers
from specproof.simulations.language_models.linear_layers import replace_linear
from specproof.simulations.language_models.model_pair import ModelPair

Product = Callable[[Tensor], Tensor]
"""Multiplies inputs of shape (n, inputs) by a weight that it was made of, to shape (n, outputs)."""

MEASURED_ROWS = (1, 2, 3, 4, 5, 7, 9, 13, 17)
"""Products are compared at these numbers of rows; more rows than the last are multiplied as torch does."""

REPEATS = 4
"""Of so many passes over all layers of a shape, each layer's least time counts: other programs only lengthen it."""

TOLERANCE = 1e-4
"""A product is refused whose result is off by more than this share of the largest entry."""


def inputs_first(weight: Tensor) -> Product:
    """Multiply as torch's linear layer does."""
    return lambda inputs: linear(inputs, weight)


def weight_first(weight: Tensor) -> Product:
    """Multiply the weight by the inputs' transpose: to the library it is a product of many rows."""
    return lambda inputs: (weight @ inputs.T).T.contiguous()


def reordered(weight: Tensor) -> Product:
    """Multiply by a copy of the weight in the order that oneDNN reads fastest, as torch's own compiler does."""
    packed = torch.ops.mkldnn._reorder_linear_weight(weight)

    def multiply(inputs: Tensor) -> Tensor:
        product: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, packed, None, "none", [], "")
        return product

    return multiply


PRODUCTS: tuple[Callable[[Tensor], Product], ...] = (inputs_first, weight_first, reordered)
"""The ways to multiply. The last is of torch's private interface, and passed over where it is missing or wrong."""


class FewRows(nn.Module):
    """A linear layer with a product for each number of rows."""

    def __init__(self, layer: nn.Linear, products: dict[int, Product]) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self._products = products
        self._plain = inputs_first(layer.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        """Multiply, shape (..., inputs) to (..., outputs)."""
        flat = inputs.reshape(-1, inputs.shape[-1])
        result = self._products.get(len(flat), self._plain)(flat).reshape(*inputs.shape[:-1], -1)
        return result if self.bias is None else result + self.bias


def with_fast_products(pair: ModelPair) -> ModelPair:
    """The pair with a target of the fewest calls and the fastest products here; on other devices than CPUs as it is.

    Its layers are those of :func:`specproof.simulations.language_models.fused_layers.fuse_layers`. It takes some
    seconds, in which the products are timed. Parameters are shared with the pair's own target; a weight for which a
    reordered copy is the fastest is held once more. Results depend on the clock in their last bits, so that
    this is for decoding at speed, and not for runs that have to be repeated bit by bit.

    Parameters
    ----------
    pair : ModelPair
    """
    if torch.device(pair.target.device).type != "cpu":
        return pair
    return replace(pair, target=replace(pair.target, module=fast_linear(fuse_layers(pair.target.module))))


def fast_linear(model: Any) -> Any:
    """A copy of a model on a CPU, its parameters shared, with :class:`FewRows` in the places of its linear layers."""
    return replace_linear(model, _fast)


@torch.inference_mode()
def _fast(layers: Sequence[nn.Linear]) -> list[nn.Module]:
    alike: dict[Any, list[int]] = defaultdict(list)
    for number, layer in enumerate(layers):
        alike[layer.weight.shape, layer.weight.dtype].append(number)
    found: dict[int, nn.Module] = {}
    for numbers in alike.values():
        weights = [layers[number].weight.detach() for number in numbers]
        for number, products in zip(numbers, fastest_products(weights), strict=True):
            found[number] = FewRows(layers[number], products)
    return [found[number] for number in range(len(layers))]


def fastest_products(weights: Sequence[Tensor], rows: Sequence[int] = MEASURED_ROWS) -> list[dict[int, Product]]:
    """Find the fastest product for each number of rows, and give those of every weight.

    All weights are multiplied one after the other, as in a pass of the model, so that they come from memory and not
    from the processor's cache. A number of rows between two that are measured takes the product of the larger.

    Parameters
    ----------
    weights : sequence of tensors of one shape (outputs, inputs)
    rows : ascending sequence of int
    """
    ways = [products for make in PRODUCTS if (products := _made(make, weights)) is not None]
    chosen: list[dict[int, Product]] = [{} for _ in weights]
    below = 0
    for count in rows:
        inputs = torch.linspace(-1, 1, count * weights[0].shape[1]).reshape(count, -1).to(weights[0])
        seconds = [_seconds(products, inputs) for products in ways]
        best = ways[seconds.index(min(seconds))]
        for by_rows, product in zip(chosen, best, strict=True):
            by_rows |= dict.fromkeys(range(below + 1, count + 1), product)
        below = count
    return chosen


def _made(make: Callable[[Tensor], Product], weights: Sequence[Tensor]) -> list[Product] | None:
    """Make a product of every weight; None where it is missing in this torch, or computes something else."""
    inputs = torch.linspace(-1, 1, 3 * weights[0].shape[1]).reshape(3, -1).to(weights[0])
    expected = linear(inputs, weights[0])
    try:
        first = make(weights[0])
        error = (first(inputs) - expected).abs().max()
    except (AttributeError, RuntimeError, NotImplementedError):
        return None
    if not error <= max(TOLERANCE, torch.finfo(expected.dtype).eps * 4) * expected.abs().max():
        return None
    return [first, *(make(weight) for weight in weights[1:])]


def _seconds(products: Sequence[Product], inputs: Tensor) -> float:
    passes = [[_timed(multiply, inputs) for multiply in products] for _ in range(REPEATS)]
    least: list[float] = [min(times) for times in zip(*passes, strict=True)]
    return sum(least)


def _timed(multiply: Product, inputs: Tensor) -> float:
    start = time.perf_counter()
    multiply(inputs)
    return time.perf_counter() - start
