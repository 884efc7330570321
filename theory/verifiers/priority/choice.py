"""Choosing among drafts by priority: the rule itself, with the dice given."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput, entry, first_entry

_LAST = np.iinfo(np.int64).max

Number = TypeVar("Number", np.float64, np.int64)


class ChoiceTable(NamedTuple):
    """What a choice reads: of R pairs of laws, one of which all trials share if there are no leading axes."""

    leading: tuple[int, ...]
    draft: Array
    """Shape (R, V), as the next three."""
    thinning: Array
    spare: Array
    """Cumulative weights of what is emitted where no draft is kept."""
    first: NDArray[np.int64]
    """Each token's first interval, or -1."""
    starts: Array
    """Shape (N,), as the next two; the intervals of one token are consecutive."""
    lengths: Array
    tokens: NDArray[np.int64]
    offsets: NDArray[np.int64]
    """Where each row's intervals begin, and the last one's end."""


def in_one_layout(values: ArrayLike, dtype: type[Number]) -> NDArray[Number]:
    """C-contiguous and writeable, copied if it must: any other layout would have the compiled loops compiled anew."""
    return np.require(values, dtype, ["C", "W"])


def as_drafts(drafts: ArrayLike, num_drafts: int) -> NDArray[np.int64]:
    """Check the form of drafted tokens, shape (..., k).

    Raises
    ------
    InvalidInput
        If they are not integers that an int64 holds, or the last axis is not of length k.
    """
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


def choose(
    table: ChoiceTable, drafts: NDArray[np.int64], uniforms: Array
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Verify drafts of shape (..., k) with uniforms of shape (..., k + 1); return tokens and indices of shape (...).

    Raises
    ------
    InvalidInput
        If the shapes do not fit, a number is not in [0, 1), or a draft is outside the vocabulary or has draft
        probability 0.
    """
    trials, count = drafts.shape[:-1], drafts.shape[-1]
    dice = in_one_layout(uniforms, np.float64)
    if dice.shape != (*trials, count + 1):
        raise InvalidInput(
            f"uniforms has shape {dice.shape}: drafts of shape {drafts.shape} need {(*trials, count + 1)}"
        )
    if not (dice.min(initial=0.0) >= 0.0 and dice.max(initial=0.0) < 1.0):  # as NaN is neither
        where, index = first_entry(~((dice >= 0.0) & (dice < 1.0)), "uniforms")
        raise InvalidInput(f"{where} = {dice[index]}: each must lie in [0, 1), as rng.random() draws them")
    rows = np.arange(table.draft.shape[0]).reshape(table.leading)
    try:
        rows = np.broadcast_to(rows, trials).reshape(-1)
    except ValueError:
        raise InvalidInput(
            f"drafts of shape {drafts.shape} do not fit pairs of laws of leading shape {table.leading}: "
            "give each pair its own trials"
        ) from None
    tokens, accepted = np.empty(rows.size, dtype=np.int64), np.empty(rows.size, dtype=np.int64)
    wrong = _choose(
        table[1:],
        in_one_layout(rows, np.int64),
        drafts.reshape(-1, count),
        dice.reshape(-1, count + 1),
        tokens,
        accepted,
    )
    if wrong >= 0:
        _refuse(table, int(rows[wrong // count]), drafts, wrong)
    return tokens.reshape(trials), accepted.reshape(trials)


@compiled()
def _choose(
    table: tuple[Array | NDArray[np.int64], ...],
    rows: NDArray[np.int64],
    drafts: NDArray[np.int64],
    uniforms: Array,
    tokens: NDArray[np.int64],
    accepted: NDArray[np.int64],
) -> int:
    """Run all trials; return the place of the first impossible draft, counted over all, or -1."""
    draft, thinning, spare, first, starts, lengths, owners, offsets = table
    for trial in range(rows.size):
        row = rows[trial]
        end = offsets[row + 1]
        best, winner = -1.0, -1
        for index in range(drafts.shape[1]):
            token = drafts[trial, index]
            if token < 0 or token >= draft.shape[1] or first[row, token] < 0:
                place: int = trial * drafts.shape[1] + index
                return place
            # A point of the token's set: its intervals laid end to end.
            interval, point = first[row, token], uniforms[trial, index] * draft[row, token]
            while point >= lengths[interval] and interval + 1 < end and owners[interval + 1] == token:
                point -= lengths[interval]
                interval += 1
            priority = starts[interval] + min(point, lengths[interval])
            if priority > best:
                best, winner = priority, index
        token, coin = drafts[trial, winner], uniforms[trial, -1]
        kept = thinning[row, token]
        if coin < kept:
            tokens[trial], accepted[trial] = token, winner
        else:
            tokens[trial], accepted[trial] = _invert(spare[row], (coin - kept) / (1.0 - kept)), -1
    return -1


@compiled()
def _invert(cumulative: Array, uniform: float) -> int:
    """The token at a quantile of weights given by their sums: the first whose sum exceeds it."""
    total = cumulative[-1]
    token = int(np.searchsorted(cumulative, uniform * total, side="right"))
    # Rounding may ask for the whole: the last token with any weight is the first to reach the total.
    return token if token < cumulative.size else int(np.searchsorted(cumulative, total))


def _refuse(table: ChoiceTable, row: int, drafts: NDArray[np.int64], place: int) -> None:
    token, vocabulary = int(drafts.flat[place]), table.draft.shape[1]
    where = f"{entry('drafts', tuple(map(int, np.unravel_index(place, drafts.shape))))} = {token}"
    if not 0 <= token < vocabulary:
        raise InvalidInput(f"{where} is outside the vocabulary: tokens are 0..{vocabulary - 1}")
    raise InvalidInput(
        f"{where} has draft probability {table.draft[row, token]:g}: "
        "it was not drawn from the draft law, so pass the law that the drafter samples from"
    )
