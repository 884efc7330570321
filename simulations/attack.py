"""Searching for a counterexample: differential evolution over a whole population at a time, and a local finish."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy  # its parts load when first used

from specproof.theory.distribution import Array

MEMBERS = 10
"""Members of a generation, for each coordinate."""

CROSSED = 0.7
"""Chance of each coordinate of a trial to come from the best member and not from its own."""


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
    members_a_coordinate: int = MEMBERS,
) -> Closest:
    """Look for the smallest value of a function on a cube.

    In a generation every member is put against one that has most coordinates of the best plus a share of the way
    between two others ("best/1/bin"), and gives way to it if that one is no worse. SciPy's search makes its trials
    member by member, which takes longer than the functions here. (Storn and Price 1997.)

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
    members_a_coordinate : int
        Members of a generation for each coordinate; there must be three in all.
    """
    members, spread = members_a_coordinate * size, highest - lowest
    # A Latin hypercube: each of as many slices of a coordinate's range has one member.
    slices = rng.permuted(np.tile(np.arange(members), (size, 1)), axis=1)
    points = lowest + spread * (slices + rng.random((size, members))) / members
    values = function(points)
    for _ in range(generations):
        trials = _trials(points, values, rng)
        inside = (trials >= lowest) & (trials <= highest)
        trials = np.where(inside, trials, lowest + spread * rng.random(trials.shape))
        found = function(trials)
        better = found <= values
        points, values = np.where(better, trials, points), np.where(better, found, values)
    best = values.argmin()
    return Closest(float(values[best]), points[:, best], members * (generations + 1))


def _trials(points: Array, values: Array, rng: np.random.Generator) -> Array:
    """Make one trial for each member, shape (size, members); the two others come from their order on a random ring."""
    size, members = points.shape
    ring = rng.permutation(members)
    away = np.empty_like(points)
    away[:, ring] = points[:, np.roll(ring, 1)] - points[:, np.roll(ring, 2)]
    moved = points[:, [values.argmin()]] + rng.uniform(0.5, 1.0) * away
    crossed = rng.random(points.shape) < CROSSED
    crossed[rng.integers(size, size=members), np.arange(members)] = True
    return np.where(crossed, moved, points)


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
