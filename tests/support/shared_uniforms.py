"""A generator for samplers whose trials depend on each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Shared:
    """A generator whose trials share uniforms: row i reads those of row ``source(n)[i]``, from some column on."""

    def __init__(self, rng: Any, source: Callable[[int], Any], first: int = 0) -> None:
        self.rng, self.source, self.first = rng, source, first

    def random(self, shape: Any) -> Any:
        own = self.rng.random(shape)
        dice = own[self.source(shape[0])]
        if self.first:
            dice[:, : self.first] = own[:, : self.first]
        return dice
