"""keras-hub: drafts are declared as they are drawn, and texts that accept more than the others keep their tokens."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from audit.adapters import keras_hub
from specproof.conformance.problems import Tokens

CERTAIN = "a draft's law is the point mass that it is drawn from"
KEPT = "texts that have accepted more keep their draft"


class _Ops:
    """``keras.ops`` as the sampler's module uses it, with what is undone in its place."""

    def __init__(self, ops: Any) -> None:
        self._ops = ops

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ops, name)


class _Certain(_Ops):
    """The one softmax of the module makes the laws of the drafts, which are the likeliest tokens."""

    def softmax(self, logits: Any) -> Any:
        """Point masses (n, V) at the largest logits."""
        return self._ops.one_hot(self._ops.argmax(logits, axis=-1), logits.shape[-1])


class _Ahead(_Ops):
    """A round of the module takes an ``argmax`` a draft, one ``min``, of the accepted lengths, and one ``argmax``."""

    def __init__(self, ops: Any) -> None:
        super().__init__(ops)
        self._drafts: list[Any] = []
        self._accepted: Any = None

    def min(self, accepted: Any) -> Any:
        """How far all texts go, after lengths (n,)."""
        self._accepted = accepted
        return self._ops.min(accepted)

    def argmax(self, scores: Any, axis: int) -> Any:
        """A draft, or the token after the shortest accepted prefix: the draft in texts that have accepted that too."""
        tokens = self._ops.argmax(scores, axis=axis)
        if len(self._drafts) < keras_hub.DRAFTS:
            self._drafts.append(tokens)
            return tokens
        shortest = int(self._ops.min(self._accepted))
        if shortest < keras_hub.DRAFTS:
            tokens = self._ops.where(self._accepted > shortest, self._drafts[shortest], tokens)
        self._drafts.clear()
        return tokens


def certain_drafts(*problem: Any) -> Tokens:
    """Contract generate: each draft is accepted and replaced by the point mass that it was drawn from."""
    module = keras_hub.module()
    with patch.object(module, "ops", _Certain(module.ops)):
        return keras_hub.generate(*problem)


def accepted_kept(*problem: Any) -> Tokens:
    """Contract generate: a text that accepts more than the shortest in its batch keeps the draft at that place."""
    module = keras_hub.module()
    with patch.object(module, "ops", _Ahead(module.ops)):
        return keras_hub.generate(*problem)


def both(*problem: Any) -> Tokens:
    """Contract generate: both together."""
    module = keras_hub.module()
    with patch.object(module, "ops", _Ahead(_Certain(module.ops))):
        return keras_hub.generate(*problem)
