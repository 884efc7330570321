"""A copy of a model in which every linear layer is another module; what is not replaced is shared."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

Replace = Callable[[Sequence[nn.Linear]], Sequence[nn.Module]]
"""Takes all linear layers of a model, the output head included, and gives as many modules in their places."""


def replace_linear(model: Any, replace: Replace) -> Any:
    """A copy of a model with other modules in the places of its linear layers; all its parameters are shared.

    Parameters
    ----------
    model : torch module
    replace : callable
        Is called once, with all the layers.
    """
    changed = copy_sharing_parameters(model)
    places = [(parent, name) for parent in changed.modules() for name, c in parent.named_children() if _is_linear(c)]
    layers = [getattr(parent, name) for parent, name in places]
    for (parent, name), layer in zip(places, replace(layers), strict=True):
        setattr(parent, name, layer)
    return changed


def copy_sharing_parameters(model: Any) -> Any:
    """A copy of a model whose parameters are the model's own.

    Parameters
    ----------
    model : torch module

    Examples
    --------
    >>> model = nn.Linear(3, 2)
    >>> copied = copy_sharing_parameters(model)
    >>> copied is model, copied.weight is model.weight
    (False, True)
    """
    # Entries in the memo are not copied: the parameters are shared.
    return copy.deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})


def _is_linear(module: nn.Module) -> bool:
    return isinstance(module, nn.Linear)
