"""Searching for a counterexample: differential evolution over a whole population at a time, and a local finish."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy  # its parts load when first used

from specproof.theory.distribution import Array

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


def polish(
    function: Callable[[Array], Array], start: Closest, lowest: float, highest: float, evaluations: int
) -> Closest:
    """Go on from where a search ended, with the simplex of Nelder and Mead: the ends of searches often have kinks.

    Parameters
    ----------
    function, lowest, highest
        As for :func:`minimise`.
    start : Closest
    evaluations : int
        The most that may be spent; they are added to those of ``start``.
    """
    found = scipy.optimize.minimize(
        lambda point: float(function(point[:, np.newaxis])[0]),
        start.point,
        method="Nelder-Mead",
        bounds=[(lowest, highest)] * start.point.size,
        options={"maxfev": evaluations, "xatol": 0.0, "fatol": 0.0, "adaptive": True},
    )
    spent = start.evaluations + int(found.nfev)
    if found.fun >= start.value:
        return start._replace(evaluations=spent)
    return Closest(float(found.fun), found.x, spent)
