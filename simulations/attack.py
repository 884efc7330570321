"""Searching for a counterexample: differential evolution over a whole population at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy  # its parts load when first used

from theory.distribution import Array

MEMBERS = 10
"""Members of a generation, for each coordinate."""


class Closest(NamedTuple):
    """The closest approach of a search."""

    value: float
    point: Array
    evaluations: int


def minimise(
    function: Callable[[Array], Array],
    lowest: float,
    highest: float,
    size: int,
    generations: int,
    rng: np.random.Generator,
) -> Closest:
    """Look for the smallest value of a function on a cube.

    Parameters
    ----------
    function : callable
        Takes a population, shape (size, members), and returns its values, shape (members,).
    lowest, highest : float
        Ends of every coordinate.
    size : int
        Number of coordinates.
    generations : int
    rng : numpy Generator
    """
    found = scipy.optimize.differential_evolution(
        function,
        [(lowest, highest)] * size,
        maxiter=generations,
        popsize=MEMBERS,
        tol=0.0,
        rng=rng,
        polish=False,
        vectorized=True,
        updating="deferred",
    )
    # SciPy counts a generation that is evaluated at once as one evaluation.
    return Closest(float(found.fun), found.x, int(found.nfev) * MEMBERS * size)
