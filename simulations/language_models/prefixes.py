"""Where the distributions of a decode come from: a function of a model's logits and of the texts that they follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from specproof.simulations.language_models.next_token_model import NextTokenModel


class Prefixes(NamedTuple):
    """What n rows of logits follow: the beginning of a text each, and then some tokens drafted after it."""

    text: Tensor
    """The number of each row's text, shape (n,), ascending: several rows may continue one text."""
    length: Tensor
    """How many tokens of that text are meant, shape (n,)."""
    tail: Tensor
    """The tokens drafted after them, shape (n, m)."""


Distributions = Callable[[NextTokenModel, Tensor, Prefixes], Tensor]
"""``distributions(model, logits, prefixes)``: float64 distributions of the next token, shape (n, V) as the logits."""


def from_logits(model: NextTokenModel, logits: Tensor, _prefixes: Prefixes) -> Tensor:
    """Take the distributions that the logits have under the model's settings, whatever the text."""
    return model.law(logits)
