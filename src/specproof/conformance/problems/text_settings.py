"""What a call of a decoding loop may ask of its texts: an end token, a least length, and a temperature for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from specproof.conformance.problems.drawing import Tokens
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput


class TextSettings(NamedTuple):
    """What is asked of texts; by default nothing.

    Examples
    --------
    >>> TextSettings(end=1, least=2).describe()
    'ends at 1, at least 2 tokens'
    """

    end: int | None = None
    """The token that ends a text; -1 stands after it."""
    least: int = 0
    """So many tokens are generated before the end token is possible."""
    temperatures: tuple[float, ...] = (1.0,)
    """Each row has one of these, by chance: 0 for the likeliest token, 1 for the target's law."""

    @property
    def required(self) -> frozenset[str]:
        """The parameters that a loop must have to be asked."""
        wanted = {
            "end_token": self.end is not None,
            "min_length": self.least > 0,
            "temperatures": len(self.temperatures) > 1,
        }
        return frozenset(name for name, is_wanted in wanted.items() if is_wanted)

    def named(self, chosen: Tokens) -> Mapping[str, Any]:
        """Give the parameters of a call, by name, for rows that have these of the temperatures."""
        return {
            "end_token": self.end,
            "min_length": self.least,
            "temperatures": np.array(self.temperatures)[chosen],
        }

    def check(self, num_tokens: int) -> None:
        """Refuse settings that no text can have.

        Raises
        ------
        InvalidInput
        """
        if self.end is not None and not 0 <= self.end < num_tokens:
            raise InvalidInput(f"settings.end is {self.end}: tokens are 0..{num_tokens - 1}")
        if self.least and (self.end is None or num_tokens < 2):
            raise InvalidInput(f"settings.least is {self.least}: it needs an end token and another one")
        if not self.temperatures or not set(self.temperatures) <= {0.0, 1.0}:
            raise InvalidInput(f"settings.temperatures is {self.temperatures}: give 0.0, 1.0 or both")

    def within(self, num_tokens: int) -> TextSettings:
        """Make settings for a vocabulary of so many tokens; a token that it lacks becomes its last."""
        return self if self.end is None else self._replace(end=min(self.end, num_tokens - 1))

    def processed(self, target: TabularModel, given: int, temperature: float) -> TabularModel:
        """Give the target's laws as they are asked for after a prompt of so many tokens, but for the end."""
        tables = list(target.conditionals)
        for position in range(given, target.horizon):
            law = tables[position]
            if temperature == 0.0:
                law = np.eye(target.num_states)[law.argmax(axis=-1)]
            if self.end is not None and position - given < self.least:
                law = _without(law, self.end)
            tables[position] = law
        return TabularModel(tables)

    def stopped(self, law: Array) -> Array:
        """Give the law of texts, shape (V,) * length, in which the end token fills all places after its first."""
        if self.end is None:
            return law
        tokens = np.indices(law.shape).reshape(law.ndim, -1)
        is_end = tokens == self.end
        filled = np.where(np.cumsum(is_end, axis=0) > 0, self.end, tokens)
        found = np.zeros_like(law)
        np.add.at(found, tuple(filled), law.reshape(-1))
        return found

    def describe(self) -> str:
        """Describe what is asked; nothing if that is nothing."""
        parts = [f"ends at {self.end}"] if self.end is not None else []
        parts += [f"at least {self.least} tokens"] if self.least else []
        if self.temperatures != (1.0,):
            parts.append(f"temperatures {', '.join(f'{it:g}' for it in self.temperatures)} by row, which comes first")
        return ", ".join(parts)


PLAIN = TextSettings()
"""Nothing is asked."""


def _without(law: Array, token: int) -> Array:
    """Take a token out of laws and renormalise them; where nothing else is possible, all others are, evenly."""
    weights = law.copy()
    weights[..., token] = 0.0
    others = 1.0 - np.eye(law.shape[-1])[token]
    weights = np.where(weights.sum(axis=-1, keepdims=True) > 0, weights, others)
    rows: Array = weights / weights.sum(axis=-1, keepdims=True)
    return rows
