"""A draft made from the target by leaving decoder layers out (self-speculation by layer skipping)."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

from torch import nn


def skip_layers(model: Any, layers: Collection[int]) -> Any:
    """A copy of a Llama-like model without the given decoder layers; every parameter is shared with ``model``.

    The layers that stay are renumbered, because each finds its keys and values in the cache by its number.
    (Zhang et al. 2023, Draft & Verify: a fixed set of layers is skipped while drafting.)

    Parameters
    ----------
    model : transformers causal language model with ``model.layers``
    layers : collection of int
        Indices from 0 of the layers to leave out.
    """
    # Entries in the memo are not copied: the parameters are shared.
    shallow = copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})
    kept = [layer for index, layer in enumerate(shallow.model.layers) if index not in layers]
    for index, layer in enumerate(kept):
        layer.self_attn.layer_idx = index
    shallow.model.layers = nn.ModuleList(kept)
    shallow.config.num_hidden_layers = len(kept)
    return shallow
