"""Intervals of [0, 1] that belong to tokens, and what follows from them alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from specproof.theory.compiled import compiled
from specproof.theory.display import one_line
from specproof.theory.distribution import Array


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
        with np.errstate(divide="ignore"):  # the lowest interval: log 0 = -inf, and the second factor is 1
            missed = num_drafts * np.log1p(-np.divide(length, reached, out=np.ones_like(length), where=reached > 0))
        mass: Array = reached**num_drafts * -np.expm1(missed)
        places = row * vocabulary + self.tokens[order]
        law = np.zeros((self.offsets.size - 1) * vocabulary)
        np.add.at(law, places, mass)
        return law.reshape(-1, vocabulary)

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
        joint = np.zeros(((self.offsets.size - 1) * vocabulary, num_drafts))
        places = row * vocabulary + token
        reached, others = own + length, np.maximum(below - own, 0.0)
        with np.errstate(divide="ignore"):  # m_0 = 0: log 0 = -inf, and the second factor below is 1
            missed = np.log1p(-length / reached)
        log_reached, ways = np.log(reached), 1
        for carried in range(1, num_drafts + 1):
            ways = ways * (num_drafts - carried + 1) // carried
            logs = math.log(ways) + xlogy(num_drafts - carried, others) + carried * log_reached
            np.add.at(joint[:, carried - 1], places, np.exp(logs) * -np.expm1(carried * missed))
        return joint.reshape(-1, vocabulary, num_drafts)

    def _upwards(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The entries from the lowest to the highest, row by row, and their rows."""
        rows = np.repeat(np.arange(self.offsets.size - 1), np.diff(self.offsets))
        # Of several equal starts only the last interval is long enough to move the next one up.
        return np.lexsort((self.lengths, self.starts, rows)), rows


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
