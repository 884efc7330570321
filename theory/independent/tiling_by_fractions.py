"""The tiling once more, slowly and in rational numbers: what the compiled cuts are held against."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

_HALVINGS = 60
"""Of the range where a stretch may lie: its mass is then q to within 2^-60 k, never above."""


class RationalInterval(NamedTuple):
    """[start, end) belongs to a token."""

    start: Fraction
    end: Fraction
    token: int


class RationalTiling(NamedTuple):
    """Intervals from the lowest to the highest, and the rates r = min(q, mass)."""

    intervals: list[RationalInterval]
    rates: list[Fraction]


def tiling_by_fractions(draft: Sequence[Fraction], target: Sequence[Fraction], num_drafts: int) -> RationalTiling:
    """Tile [0, 1] by the rules of :mod:`specproof.theory.verifiers.priority.tiling`.

    All free space is looked through each time. ``draft`` and ``target`` sum to 1 exactly; ties of q/p go by token.
    Quadratic in the vocabulary, and the fractions grow with it: for a dozen tokens.

    Examples
    --------
    >>> half, quarter = Fraction(1, 2), Fraction(1, 4)
    >>> tiling_by_fractions([half, half], [quarter, 1 - quarter], 2).rates
    [Fraction(1, 4), Fraction(3, 4)]
    """
    free = [(Fraction(0), Fraction(1))]
    taken: list[RationalInterval] = []
    rates = [Fraction(0)] * len(draft)
    drafted = [token for token in range(len(draft)) if draft[token] > 0]
    for token in sorted(drafted, key=lambda token: target[token] / draft[token]):
        below = _height(free, draft[token], target[token], num_drafts)
        stretch = _between(free, below, below + draft[token])
        taken += [RationalInterval(start, end, token) for start, end in stretch]
        rates[token] = min(target[token], _mass(stretch, num_drafts))
        room = sum((end - start for start, end in free), Fraction(0))
        free = _between(free, Fraction(0), below) + _between(free, below + draft[token], room)
    return RationalTiling(sorted(taken), rates)


Segments = list[tuple[Fraction, Fraction]]


def _height(free: Segments, length: Fraction, wanted: Fraction, num_drafts: int) -> Fraction:
    """How much free space lies below the stretch of this length whose mass is q, or as near as there is one."""

    def mass(below: Fraction) -> Fraction:
        return _mass(_between(free, below, below + length), num_drafts)

    low, high = Fraction(0), sum((end - start for start, end in free), Fraction(0)) - length
    if mass(low) >= wanted:
        return low
    if mass(high) <= wanted:
        return high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if mass(middle) <= wanted else (low, middle)
    return low


def _between(free: Segments, low: Fraction, high: Fraction) -> Segments:
    """The free points with between ``low`` and ``high`` of free space below them."""
    found: Segments = []
    below = Fraction(0)
    for start, end in free:
        first, last = max(start, start + low - below), min(end, start + high - below)
        if first < last:
            found.append((first, last))
        below += end - start
    return found


def _mass(segments: Segments, num_drafts: int) -> Fraction:
    return sum((end**num_drafts - start**num_drafts for start, end in segments), Fraction(0))
