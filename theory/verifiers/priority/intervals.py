"""Intervals of [0, 1] that belong to tokens, and what follows from them alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from specproof.theory.compiled import compiled
from specproof.theory.display import html_record, one_line
from specproof.theory.distribution import Array
from specproof.theory.drafts import hit_probability

_LONG_ROW = 1 << 12
"""Rows of at least so many intervals are sorted one by one."""

_CHUNK = 1 << 17
"""Terms of a sum over intervals and numbers of drafts that are held at a time."""


@dataclass(frozen=True, eq=False, repr=False)
class Intervals:
    """Disjoint intervals, of one row of laws or of many, one entry each; tokens may have several.

    Attributes
    ----------
    starts, lengths : array, shape (N,)
        An interval is [start, start + length).
    tokens : array of int64, shape (N,)
        Each interval belongs to this token; the intervals of one token are consecutive.
    offsets : array of int64, shape (R + 1,)
        Row r, counted in C order over the leading axes, has the entries ``offsets[r]:offsets[r + 1]``, fewer than 2V.

    Examples
    --------
    >>> from specproof import PriorityCoupling
    >>> intervals = PriorityCoupling([0.5, 0.5], [0.25, 0.75], 2).intervals
    >>> intervals.tokens.tolist(), intervals.starts.tolist(), intervals.lengths.tolist()
    ([0, 1], [0.0, 0.5], [0.5, 0.5])
    """

    starts: Array
    lengths: Array
    tokens: NDArray[np.int64]
    offsets: NDArray[np.int64]

    __repr__ = one_line
    _repr_html_ = html_record

    def winner_law(self, vocabulary: int, num_drafts: int) -> Array:
        r"""Probability that each token holds the highest of k independent priorities, shape (R, V).

        A priority lies in an interval with probability its length. So with :math:`a` the total length of an interval
        :math:`\ell` and all below it the highest lies in it with probability
        :math:`a^k - (a - \ell)^k = a^k (1 - (1 - \ell/a)^k)`. Read off the order of the starts and the lengths.
        """
        order, row = self._upwards()
        length = self.lengths[order]
        below, _ = _lengths_below(length, self.tokens[order], self.offsets, vocabulary)
        reached = below + length
        share = np.divide(length, reached, out=np.ones_like(length), where=reached > 0)
        mass: Array = reached**num_drafts * hit_probability(share, num_drafts)
        law = np.bincount(row * vocabulary + self.tokens[order], mass, (self.offsets.size - 1) * vocabulary)
        return law.astype(np.float64, copy=False).reshape(-1, vocabulary)

    def agreement(self, vocabulary: int, num_drafts: int) -> Array:
        r"""Probability that token i holds the highest of k priorities and j = 1..k drafts are i, shape (R, V, k).

        With the winner at s, the other j - 1 of the token lie in its own length m below s and the rest in the length
        s - m of others. Along one interval that is a constant c, while m grows from m_0 by the interval's length:

        .. math:: \int k \binom{k-1}{j-1} m^{j-1} c^{k-j} dm = \binom{k}{j} c^{k-j} ((m_0 + \ell)^j - m_0^j)

        In logarithms, as the binomial overflows and the powers underflow for k of a thousand: good to O(k eps).
        """
        order, row = self._upwards()
        length, token = self.lengths[order], self.tokens[order]
        below, own = _lengths_below(length, token, self.offsets, vocabulary)
        joint = np.zeros((num_drafts, (self.offsets.size - 1) * vocabulary))
        places = row * vocabulary + token
        reached, others = own + length, np.maximum(below - own, 0.0)
        with np.errstate(divide="ignore"):  # m_0 = 0: log 0 = -inf, and the second factor below is 1
            missed = np.log1p(-length / reached)
        log_reached, log_ways = np.log(reached), log_binomials(num_drafts)
        step = max(1, _CHUNK // max(1, length.size))
        for start in range(0, num_drafts, step):
            carried = np.arange(start + 1, min(start + step, num_drafts) + 1)[:, np.newaxis]
            logs = log_ways[carried - 1] + xlogy(num_drafts - carried, others) + carried * log_reached
            mass = np.exp(logs) * -np.expm1(carried * missed)
            np.add.at(joint[start : start + step], (np.arange(len(carried))[:, np.newaxis], places), mass)
        return np.ascontiguousarray(joint.T).reshape(-1, vocabulary, num_drafts)

    def _upwards(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The entries from the lowest to the highest, row by row, and their rows."""
        rows = np.repeat(np.arange(self.offsets.size - 1), np.diff(self.offsets))
        if self.starts.size <= _LONG_ROW * (self.offsets.size - 1):
            return np.lexsort((self.lengths, self.starts, rows)), rows
        ends = pairwise(self.offsets)
        parts = [first + _by_start(self.starts[first:last], self.lengths[first:last]) for first, last in ends]
        return np.concatenate(parts), rows


def _by_start(starts: Array, lengths: Array) -> NDArray[np.int64]:
    """The order of one row: by start, and by length where starts are equal.

    Of several equal starts only the last interval is long enough to move the next one up. Most starts of a long row
    have no equal, so that a second key for all would cost more than the first.
    """
    order = np.argsort(starts)
    ordered = starts[order]
    equal = ordered[1:] == ordered[:-1]
    tied = np.append(equal, False) | np.insert(equal, 0, False)
    among = np.sort(order[tied])
    order[tied] = among[np.lexsort((lengths[among], starts[among]))]
    return order


@cache
def log_binomials(num_drafts: int) -> Array:
    """Logarithms of k choose j for j = 1..k, shape (k,), each from the exact integer."""
    logs, ways = np.empty(num_drafts), 1
    for carried in range(1, num_drafts + 1):
        ways = ways * (num_drafts - carried + 1) // carried
        logs[carried - 1] = math.log(ways)
    return logs


@compiled()
def _lengths_below(
    lengths: Array, tokens: NDArray[np.int64], offsets: NDArray[np.int64], vocabulary: int
) -> tuple[Array, Array]:
    """The lengths below each interval, of all tokens (summed as by Kahan 1965) and of its own."""
    below, own = np.empty_like(lengths), np.empty_like(lengths)
    for row in range(offsets.size - 1):
        total, lost = 0.0, 0.0
        of_token = np.zeros(vocabulary)
        for entry in range(offsets[row], offsets[row + 1]):
            below[entry], own[entry] = total, of_token[tokens[entry]]
            of_token[tokens[entry]] += lengths[entry]
            grown = lengths[entry] - lost
            reached = total + grown
            lost = (reached - total) - grown
            total = reached
    return below, own
