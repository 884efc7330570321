"""The global generators of Python, NumPy and torch, which a function may draw from or seed."""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np


class GlobalGenerators:
    """Their states before the first call, to tell after the last one which of them were used, and to put them back.

    Between calls they go on: were they put back after each, a function that draws from them would repeat itself.

    Attributes
    ----------
    used : list of str
        Those whose states were not as before.
    """

    def __init__(self) -> None:
        self.used: list[str] = []
        self._python, self._numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
        self._torch: Any = None

    def look(self) -> None:
        """Keep the state of torch's generator too, once torch is loaded."""
        if self._torch is None and (torch := sys.modules.get("torch")) is not None:
            self._torch = torch.get_rng_state()

    def put_back(self) -> None:
        """Put back what has changed, and remember that it had."""
        if random.getstate() != self._python:
            random.setstate(self._python)
            self.used.append("Python")
        if not all(map(np.array_equal, np.random.get_state(), self._numpy)):  # noqa: NPY002
            np.random.set_state(self._numpy)  # noqa: NPY002
            self.used.append("NumPy")
        if self._torch is not None and not (torch := sys.modules["torch"]).equal(torch.get_rng_state(), self._torch):
            torch.set_rng_state(self._torch)
            self.used.append("torch")
