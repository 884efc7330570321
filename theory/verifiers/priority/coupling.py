"""The priority coupling of k i.i.d. drafts with the target."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.arrays import in_one_layout
from specproof.theory.compiled import compiled
from specproof.theory.display import html_record, one_line
from specproof.theory.distribution import Array, as_pair, normalise_or_zero
from specproof.theory.drafts import num_drafts_of_array, one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.numbers import finite_number
from specproof.theory.ratio import ascending, likelihood_ratio
from specproof.theory.verifiers.priority.intervals import Intervals
from specproof.theory.verifiers.priority.shared import SharedSets, accepted_mass, carriers, share_sets, useful_tolerance
from specproof.theory.verifiers.priority.tiling import Tiling, tile_rows
from specproof.theory.verifiers.selection_law import SelectionLaw

LARGEST_TOLERANCE = 1e-3
"""A coupling may lie at most so far below the optimum."""

_CHUNK = 2**18
"""This many entries are tiled at a time: the arrays of a chunk take some tens of megabytes."""


class PriorityCoupling:
    r"""The verifier of k i.i.d. drafts that accepts as often as any can, at any vocabulary size.

    Each draft draws a priority uniformly from its token's intervals and the highest wins; token i does with
    probability :math:`m_i = \int_{I_i} k s^{k-1} ds`. The winner is kept with probability :math:`\theta_i`, else a
    token is emitted from the residual. The rates :math:`r_i = \theta_i m_i = \min(q_i, m_i)` are at most q, which
    makes the rule lossless whatever the intervals are; those cut here make :math:`\sum_i r_i` the optimum
    of :func:`~specproof.theory.transport.optimal_acceptance`. Rounding of the cuts cannot change the output law, only
    move the acceptance off the optimum in the last digits; rounding of the masses moves the law by O(k eps) in L1,
    eps = 1.1e-16. O(V log V) for the sort and O(V log k) for the cuts, at worst O(kV log k).

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
        Leading axes broadcast.
    num_drafts : int
        k >= 1.
    tolerance : float
        From 0, the default, to ``LARGEST_TOLERANCE`` = 1e-3: how far below the optimum the acceptance may lie. Then
        tokens of nearly equal q/p share sets (:mod:`~specproof.theory.verifiers.priority.buckets`), of which fewer are
        cut. The rule is lossless all the same. Up to 4,096 tokens share none, as the exact coupling is quicker there.

    Attributes
    ----------
    draft, target : array, shape (..., V)
        The laws are checked and normalised.
    num_drafts : int
        The number of drafts is k.
    rates : array, shape (..., V)
        A draft is accepted and is token i with probability r_i.
    thinning : array, shape (..., V)
        Token i is kept with probability theta_i when it has won, which is 1 for all but the tokens of least q/p.
    residual : array, shape (..., V)
        The emitted token has this law when none is kept; the row is all zeros where that never happens.
    acceptance : array, shape (...)
        Some draft is accepted with this probability, the sum of the rates.
    gap : array, shape (...)
        The optimum is at most this far above the acceptance, as a cut proves; 0 where no sets are shared.
    intervals : Intervals
        The sets I consist of fewer than 2V intervals for each row, which tile [0, 1]. A set that tokens share belongs
        to the first of them.
    set_length : array, shape (..., V)
        Each token's set has this length: p, where it is not shared.
    first_interval : array of int64, shape (R, V)
        The place of each token's first interval among all, or -1 where it has none; row r counts the leading axes.

    Raises
    ------
    InvalidInput
        If an argument is not a distribution, the two do not match, k is not an integer >= 1, or the tolerance is not
        a number in [0, 1e-3].

    Examples
    --------
    >>> from specproof import PriorityCoupling
    >>> coupling = PriorityCoupling([0.5, 0.5], [0.25, 0.75], 2)
    >>> coupling.rates.round(9).tolist(), round(float(coupling.acceptance), 9)
    ([0.25, 0.75], 1.0)
    """

    def __init__(self, draft: ArrayLike, target: ArrayLike, num_drafts: int, tolerance: float = 0.0) -> None:
        self.draft, self.target = (in_one_layout(rows, np.float64) for rows in as_pair(draft, target))
        self.num_drafts = one_num_drafts(num_drafts)
        self.tolerance = as_tolerance(tolerance)
        if useful_tolerance(self.tolerance, self.draft.shape[-1]) and self.draft.size:
            self._share()
        else:
            self._cut()

    def __repr__(self) -> str:
        return one_line(self, "draft", "target", "num_drafts", "acceptance")

    def _repr_html_(self) -> str:
        return html_record(self, "draft", "target", "num_drafts", "acceptance")

    @cached_property
    def set_length(self) -> Array:
        """The length of each token's set, shape (..., V)."""
        rows = [sets.length[sets.of_token] for sets in self._sets]
        return np.array(rows).reshape(self.draft.shape) if self._sets else self.draft

    @cached_property
    def first_interval(self) -> NDArray[np.int64]:
        """The place of each token's first interval among all, or -1, shape (R, V)."""
        first = np.array([sets.first[sets.of_token] for sets in self._sets])
        return np.where(first < 0, -1, first + self.intervals.offsets[:-1, np.newaxis])

    @cached_property
    def rates(self) -> Array:
        """The probability that a draft is accepted and is token i, shape (..., V)."""
        return np.minimum(self._won, self.target)

    @cached_property
    def thinning(self) -> Array:
        """The probability that token i is kept once it has won, shape (..., V)."""
        won = self._won
        kept: Array = np.divide(self.target, won, out=np.ones_like(won), where=won > self.target)
        kept[self.target == 0] = 0.0  # also where the mass is too small for a float
        return kept

    @cached_property
    def _won(self) -> Array:
        """The probability that token i wins, shape (..., V)."""
        density = np.array([sets.density[sets.of_token] for sets in self._sets]).reshape(self.draft.shape)
        won: Array = self.draft * density
        return won

    @cached_property
    def residual(self) -> Array:
        """Law of the emitted token when none is kept, (q - r)/(1 - sum r), shape (..., V)."""
        return normalise_or_zero(self.target - self.rates)

    def law(self) -> SelectionLaw:
        """The exact law, with the winner's law computed anew from the intervals, as they lie, by another formula."""
        accepted = self._winner_law() * self.thinning
        return SelectionLaw(accepted, self.residual, np.minimum(accepted.sum(axis=-1), 1.0))

    def agreement(self) -> Array:
        """Probability that token i is accepted and exactly j = 1..k of the drafts are i, shape (..., V, k).

        Raises
        ------
        InvalidInput
            If k is so large that no array holds the result.
        """
        vocabulary = self.draft.shape[-1]
        num_drafts_of_array(self.num_drafts, self.draft.shape)
        won = self._carriers() if self._sets else self.intervals.agreement(vocabulary, self.num_drafts)
        joint: Array = won.reshape(*self.draft.shape, self.num_drafts) * self.thinning[..., np.newaxis]
        return joint

    def _winner_law(self) -> Array:
        won = self.intervals.winner_law(self.draft.shape[-1], self.num_drafts)
        if self._sets:
            own = self.first_interval >= 0
            won = np.take_along_axis(won, np.where(own, self.intervals.tokens[self.first_interval], 0), axis=-1) * own
        return won.reshape(self.draft.shape) * self._shares()

    def _shares(self) -> Array:
        """The part of its set that each token owns, 1 where it owns none."""
        return np.divide(self.draft, self.set_length, out=np.ones_like(self.draft), where=self.set_length > 0)

    def _carriers(self) -> Array:
        """Probability that each token wins and j drafts carry it, token by token, shape (R, V, k)."""
        shares, sets = self._shares().reshape(self.first_interval.shape), self.intervals
        joint = np.zeros((*shares.shape, self.num_drafts))
        for row, token in np.argwhere(self.first_interval >= 0):
            first, end = self.first_interval[row, token], self.intervals.offsets[row + 1]
            last = first + np.argmax(np.append(sets.tokens[first:end] != sets.tokens[first], True))
            own = slice(first, last)
            joint[row, token] = carriers(sets.starts[own], sets.lengths[own], shares[row, token], self.num_drafts)
        return joint

    def _cut(self) -> None:
        """Cut a set for each token."""
        tiling = _tile(self.draft, self.target, self.num_drafts)
        self._sets: list[SharedSets] = []
        self.intervals = Intervals(tiling.starts, tiling.lengths, tiling.tokens, tiling.offsets)
        self.first_interval = tiling.first
        self._won = tiling.won.reshape(self.draft.shape)
        accepted = _accepted(tiling.won, self.target.reshape(tiling.won.shape)).reshape(self.draft.shape[:-1])
        self.acceptance: Array = np.minimum(accepted, 1.0)
        self.gap: Array = np.zeros(self.draft.shape[:-1])

    def _share(self) -> None:
        """Cut sets that tokens share, row by row."""
        vocabulary = self.draft.shape[-1]
        pairs = list(zip(self.draft.reshape(-1, vocabulary), self.target.reshape(-1, vocabulary), strict=True))
        self._sets = [share_sets(*pair, self.num_drafts, self.tolerance) for pair in pairs]
        starts, lengths, tokens = (
            np.concatenate(parts) for parts in zip(*(sets.tiling[:3] for sets in self._sets), strict=True)
        )
        offsets = np.cumsum([0, *(sets.tiling.lengths.size for sets in self._sets)])
        self.intervals = Intervals(starts, lengths, tokens, offsets)
        accepted = [
            accepted_mass(*pair, sets.of_token, sets.density) for pair, sets in zip(pairs, self._sets, strict=True)
        ]
        self.acceptance = np.minimum(np.reshape(accepted, self.draft.shape[:-1]), 1.0)
        bounds = np.reshape([sets.bound for sets in self._sets], self.draft.shape[:-1])
        self.gap = np.maximum(bounds - self.acceptance, 0.0)


@compiled(fastmath={"reassoc", "nsz"}, nogil=True)
def _accepted(won: Array, target: Array) -> Array:
    """The sum of min(q, m) over each of the rows, both of shape (R, V)."""
    accepted = np.zeros(won.shape[0])
    for row in range(won.shape[0]):
        for token in range(won.shape[1]):
            accepted[row] += min(target[row, token], won[row, token])
    return accepted


def as_tolerance(value: float) -> float:
    """Check a tolerance."""
    if type(value) is float and 0.0 <= value <= LARGEST_TOLERANCE:
        return value
    tolerance = finite_number(value, "tolerance")
    if not 0.0 <= tolerance <= LARGEST_TOLERANCE:
        raise InvalidInput(f"tolerance is {tolerance:g}: it must lie in [0, {LARGEST_TOLERANCE:g}], and 0 is exact")
    return tolerance


def _tile(draft: Array, target: Array, num_drafts: int) -> Tiling:
    """Sort all rows by q/p ascending and tile them, a chunk at a time."""
    vocabulary = draft.shape[-1]
    flat_draft, flat_target = draft.reshape(-1, vocabulary), target.reshape(-1, vocabulary)
    step = max(1, _CHUNK // vocabulary)
    # An empty chunk, so that there is a tiling of no rows.
    starts = range(0, max(1, flat_draft.shape[0]), step)
    return _joined(
        [
            _tile_chunk(flat_draft[start : start + step], flat_target[start : start + step], num_drafts)
            for start in starts
        ]
    )


def _tile_chunk(draft: Array, target: Array, num_drafts: int) -> Tiling:
    tiling: Tiling = tile_rows(draft, target, ascending(likelihood_ratio(draft, target)), num_drafts)
    return tiling


def _joined(chunks: list[Tiling]) -> Tiling:
    """Put chunks of rows one after the other, counting intervals on."""
    if len(chunks) == 1:
        return chunks[0]
    before = np.cumsum([0, *(chunk.lengths.size for chunk in chunks[:-1])])
    return Tiling(
        np.concatenate([chunk.starts for chunk in chunks]),
        np.concatenate([chunk.lengths for chunk in chunks]),
        np.concatenate([chunk.tokens for chunk in chunks]),
        np.concatenate([[0], *(chunk.offsets[1:] + base for chunk, base in zip(chunks, before, strict=True))]),
        np.concatenate([np.where(b.first < 0, -1, b.first + base) for b, base in zip(chunks, before, strict=True)]),
        np.concatenate([chunk.won for chunk in chunks]),
    )
