"""Priority coupling: the sampler whose law is :meth:`specproof.theory.verifiers.priority.PriorityCoupling.law`."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

import numpy as np
from array_api_compat import is_torch_array
from numpy.typing import ArrayLike, NDArray

from specproof.simulations.samplers.inversion import AnyArray, cumulative_shares, quantile
from specproof.simulations.samplers.priority_tensors import choose_where_they_are
from specproof.simulations.samplers.priority_winner import PrioritySets, not_drawn, win
from specproof.simulations.samplers.registry import register_sampler
from specproof.simulations.samplers.selection import Selection, checked_namespace
from specproof.theory.arrays import as_numbers, in_one_layout
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput, entry, first_entry
from specproof.theory.generators import check_generator
from specproof.theory.verifiers.priority import PriorityCoupling
from specproof.theory.verifiers.priority.coupling import as_tolerance
from specproof.theory.verifiers.priority.shared import DEFAULT_TOLERANCE, useful_tolerance

_LAST = np.iinfo(np.int64).max


def verify(
    draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray, tolerance: float = DEFAULT_TOLERANCE
) -> Selection:
    """Keep the draft of the highest priority, or emit from the residual: the optimal rule, lossless exactly.

    The laws are checked and sets are cut anew in each call. Tensors stay on their device, but for some numbers of each
    row (:mod:`~specproof.simulations.samplers.priority_tensors`).

    Parameters
    ----------
    draft, target : array, shape (V,) or (..., V)
        The law the drafts were drawn from, and the law to emit.
    drafts : array of int64, shape (..., k)
        The drafted tokens, independent draws from ``draft``.
    uniforms : array, shape (..., k + 1)
        Independent numbers in [0, 1), as for :meth:`PrioritySampler.choose`.
    tolerance : float
        How far below the optimum the acceptance may lie, from 0 to 1e-3. By default it is 1e-5, far below what can
        matter. Up to 4,096 tokens the optimum is attained whatever is allowed, as that is quicker.

    Raises
    ------
    InvalidInput
        If the shapes or kinds of the arrays do not go together, the laws are not distributions, a draft is outside
        the vocabulary or has draft probability 0, or the tolerance is not a number in [0, 1e-3].

    Examples
    --------
    >>> verify(np.array([0.5, 0.5]), np.array([0.25, 0.75]), np.array([0, 1]), np.array([0.75, 0.75, 0.5]))
    Selection(tokens=array(1), accepted=array(1))
    """
    checked_namespace(draft, target, drafts, uniforms)
    allowed = useful_tolerance(as_tolerance(tolerance), draft.shape[-1])
    if is_torch_array(drafts):
        return choose_where_they_are(draft, target, drafts, uniforms, allowed)
    return PrioritySampler(PriorityCoupling(draft, target, drafts.shape[-1], allowed)).choose(drafts, uniforms)


class PrioritySampler:
    """Draw from a priority coupling, which is cut once for any number of trials; a million trials take under a second.

    Parameters
    ----------
    coupling : PriorityCoupling

    Examples
    --------
    >>> coupling = PriorityCoupling([0.5, 0.5], [0.25, 0.75], 2)
    >>> tokens, accepted = PrioritySampler(coupling).select([[0, 1], [0, 0], [1, 1]], np.random.default_rng(0))
    >>> tokens.tolist(), accepted.tolist()
    ([1, 0, 1], [1, 1, 1])
    """

    def __init__(self, coupling: PriorityCoupling) -> None:
        self._num_drafts = coupling.num_drafts
        self._leading = coupling.draft.shape[:-1]
        vocabulary = coupling.draft.shape[-1]
        weights = coupling.target - coupling.rates
        # A row without any residual rejects only by rounding; what is emitted then must still have target mass.
        weights = np.where(np.any(weights > 0, axis=-1, keepdims=True), weights, coupling.target)
        intervals = coupling.intervals
        self._table = _Table(
            coupling.thinning.reshape(-1, vocabulary), cumulative_shares(weights).reshape(-1, vocabulary)
        )
        self._sets = PrioritySets(
            coupling.set_length.reshape(-1, vocabulary),
            coupling.first_interval,
            intervals.starts,
            intervals.lengths,
            intervals.tokens,
            intervals.offsets,
        )

    def select(self, drafts: ArrayLike, rng: np.random.Generator) -> Selection:
        """Verify drafts: draw k + 1 uniforms for each trial and :meth:`choose` with them.

        Parameters
        ----------
        drafts : array_like of int, shape (..., k)
            As for :meth:`choose`.
        rng : numpy Generator

        Raises
        ------
        InvalidInput
            As :meth:`choose`, or if the generator is not one of NumPy's.
        """
        check_generator(rng)
        tokens = _as_draft_tokens(drafts, self._num_drafts)
        return self.choose(tokens, rng.random((*tokens.shape[:-1], self._num_drafts + 1)))

    def choose(self, drafts: ArrayLike, uniforms: ArrayLike) -> Selection:
        """Verify drafts with given uniforms.

        Parameters
        ----------
        drafts : array_like of int, shape (..., k)
            Drafted tokens, independent draws from the draft law. The leading axes are trials if the coupling is of one
            pair of shape (V,), else they broadcast with the leading axes of the pairs.
        uniforms : array_like, shape (..., k + 1)
            Independent numbers in [0, 1): where each draft's priority lies in the set of its token; and the one that
            thins, u, which inverts the residual as (u - theta)/(1 - theta) if the winner is not kept.

        Returns
        -------
        Selection
            The emitted tokens and the index of the accepted draft, or -1 where none is, int64 of shape (...) each.

        Raises
        ------
        InvalidInput
            If the shapes do not fit, a number is not in [0, 1), or a draft is outside the vocabulary or has draft
            probability 0.
        """
        offered = _as_draft_tokens(drafts, self._num_drafts)
        trials, count = offered.shape[:-1], self._num_drafts
        numbers = _as_uniforms(uniforms, (*trials, count + 1), offered.shape)
        rows = self._rows(trials, offered.shape)
        tokens, accepted = np.empty((2, rows.size), dtype=np.int64)
        flat = offered.reshape(-1, count), numbers.reshape(-1, count + 1)
        wrong = _choose(self._table, self._sets, rows, *flat, tokens, accepted)
        if wrong >= 0:
            _refuse(self._sets, int(rows[wrong // count]), offered, wrong)
        return Selection(tokens.reshape(trials), accepted.reshape(trials))

    def _rows(self, trials: tuple[int, ...], drafts: tuple[int, ...]) -> NDArray[np.int64]:
        """The row of the table that each trial reads."""
        rows = np.arange(self._sets.length.shape[0]).reshape(self._leading)
        try:
            return in_one_layout(np.broadcast_to(rows, trials).reshape(-1), np.int64)
        except ValueError:
            raise InvalidInput(
                f"drafts of shape {drafts} do not fit pairs of laws of leading shape {self._leading}: "
                "give each pair its own trials"
            ) from None


class _Table(NamedTuple):
    """What the compiled loop reads of R pairs of laws beside the sets, shape (R, V) each."""

    thinning: Array
    """The probability that each token is kept once it has won."""
    residual: Array
    """Cumulative shares of what is emitted where no draft is kept."""


def _as_draft_tokens(drafts: ArrayLike, num_drafts: int) -> NDArray[np.int64]:
    """Check the form of drafted tokens, shape (..., k)."""
    try:
        tokens = np.asarray(drafts)
    except ValueError as error:
        raise InvalidInput(f"drafts is not an array of integers ({error}): give each trial {num_drafts}") from None
    if tokens.dtype.kind not in "iu" or tokens.ndim == 0 or tokens.shape[-1] != num_drafts:
        raise InvalidInput(
            f"drafts has shape {tokens.shape} and dtype {tokens.dtype}: give integers of shape (..., {num_drafts}), "
            "the number of drafts that the coupling is made for"
        )
    if tokens.dtype == np.uint64 and tokens.max(initial=0) > _LAST:
        where, index = first_entry(tokens > _LAST, "drafts")
        raise InvalidInput(f"{where} = {tokens[index]} is past the largest int64: tokens are counted from 0")
    return in_one_layout(tokens, np.int64)


def _as_uniforms(uniforms: ArrayLike, shape: tuple[int, ...], drafts: tuple[int, ...]) -> Array:
    """Check numbers in [0, 1) of a shape."""
    known = isinstance(uniforms, np.ndarray) and uniforms.dtype == np.float64
    numbers = in_one_layout(uniforms if known else as_numbers(uniforms, "uniforms"), np.float64)
    if numbers.shape != shape:
        raise InvalidInput(f"uniforms has shape {numbers.shape}: drafts of shape {drafts} need {shape}")
    if not (numbers.min(initial=0.0) >= 0.0 and numbers.max(initial=0.0) < 1.0):  # as NaN is neither
        where, index = first_entry(~((numbers >= 0.0) & (numbers < 1.0)), "uniforms")
        raise InvalidInput(f"{where} = {numbers[index]}: each must lie in [0, 1), as rng.random() draws them")
    return numbers


@compiled()
def _choose(
    table: _Table,
    sets: PrioritySets,
    rows: NDArray[np.int64],
    drafts: NDArray[np.int64],
    uniforms: Array,
    tokens: NDArray[np.int64],
    accepted: NDArray[np.int64],
) -> int:
    """Run all trials; return the place of the first impossible draft, counted over all, or -1."""
    for trial in range(rows.size):
        row = rows[trial]
        winner = win(sets, row, drafts[trial], uniforms[trial])
        if winner < 0:
            place: int = trial * drafts.shape[1] - winner - 1
            return place
        token, uniform = drafts[trial, winner], uniforms[trial, -1]
        kept = table.thinning[row, token]
        if uniform < kept:
            tokens[trial], accepted[trial] = token, winner
        else:
            tokens[trial], accepted[trial] = quantile(table.residual[row], (uniform - kept) / (1.0 - kept)), -1
    return -1


def _refuse(sets: PrioritySets, row: int, drafts: NDArray[np.int64], place: int) -> NoReturn:
    token, vocabulary = int(drafts.flat[place]), sets.length.shape[1]
    index = tuple(map(int, np.unravel_index(place, drafts.shape)))
    if not 0 <= token < vocabulary:
        raise InvalidInput(
            f"{entry('drafts', index)} = {token} is outside the vocabulary: tokens are 0..{vocabulary - 1}"
        )
    raise not_drawn(index, token, float(sets.length[row, token]))


register_sampler("priority", verify)
