"""Generators of random numbers, as arguments."""

from __future__ import annotations

import numpy as np

from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput


def check_generator(rng: object) -> None:
    """Refuse what is not a NumPy Generator.

    Raises
    ------
    InvalidInput
        Naming the argument, ``rng``, and its value.
    """
    if not isinstance(rng, np.random.Generator):
        raise InvalidInput(f"rng is {shown(rng)}: it must be a NumPy Generator, such as np.random.default_rng(seed)")
