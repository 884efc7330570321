r"""The near-optimal priority coupling of torch tensors, where they are: what is as long as the vocabulary stays there.

Tokens of nearly equal q/p share a set (:mod:`specproof.theory.verifiers.priority.buckets`). Here all rows are sorted by
ratio side by side, and cut into buckets wherever the sum of :math:`\sqrt{p_i\,(u_i - u_{i-1})}` passes another multiple
of a step, u being the ratios: buckets of even density lose about the square of it each, so that the total is least
for their number. The step is halved in rows that lose more than the tolerance. Cutting the sets of the buckets is a
matter of some thousand numbers a row, one after the other: these alone go to the processor, and with them the drafts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, to_device
from numpy.typing import NDArray

from specproof.simulations.samplers.inversion import AnyArray, gather, invert
from specproof.simulations.samplers.priority_winner import PrioritySets, not_drawn, win_all
from specproof.simulations.samplers.selection import Selection, or_target
from specproof.theory.distribution import Array, as_distribution
from specproof.theory.sum_tolerance import sum_tolerance
from specproof.theory.verifiers.priority.tiling import Tiling, tile_rows

_HALVINGS = 12
"""Where so many halvings of the step are not enough, only tokens of one ratio share a set, which loses nothing."""


class SharedRows(NamedTuple):
    """Sets that the tokens of R pairs of laws share, B of them in the row that has most."""

    draft: AnyArray
    """The checked and normalised law of the drafts, shape (R, V), as the next three."""
    target: AnyArray
    """The law to emit."""
    of_token: AnyArray
    """The set of each token."""
    won: AnyArray
    """The probability that each token wins."""
    length: Array
    """The length of each set, on the processor, shape (R, B)."""
    tiling: Tiling
    """The intervals of the sets, on the processor."""


def choose_where_they_are(
    draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray, tolerance: float
) -> Selection:
    """Select from tensors, as :func:`specproof.simulations.samplers.priority.verify` does.

    Examples
    --------
    >>> import torch
    >>> laws = torch.asarray([0.5, 0.5]), torch.asarray([0.25, 0.75])
    >>> choose_where_they_are(*laws, torch.asarray([[0, 1]]), torch.asarray([[0.75, 0.75, 0.5]]), 0.0)
    Selection(tokens=tensor([1]), accepted=tensor([1]))
    """
    xp = array_namespace(draft, target, drafts, uniforms)
    count, vocabulary = drafts.shape[-1], draft.shape[-1]
    shape = np.broadcast_shapes(draft.shape, target.shape)
    proposal, law = (xp.reshape(xp.broadcast_to(given, shape), (-1, vocabulary)) for given in (draft, target))
    shared = share_rows(proposal, law, count, tolerance)
    tokens, numbers = xp.reshape(drafts, (-1, count)), xp.reshape(uniforms, (-1, count + 1))
    row = xp.zeros_like(tokens[:, 0]) if shared.length.shape[0] == 1 else xp.arange(len(tokens), device=device(tokens))
    winner = _winners(shared, row, tokens, numbers, tuple(drafts.shape))
    emitted = xp.take_along_axis(tokens, winner[:, None], axis=-1)[:, 0]
    won, wanted, last = shared.won[row, emitted], shared.target[row, emitted], numbers[:, -1]
    # theta is q/m where m is larger; a token that the target never emits is never kept.
    kept = xp.where(won > wanted, wanted / xp.where(won > wanted, won, 1.0), xp.astype(wanted > 0, xp.float64))
    rejected = last >= kept
    again = (last - kept) / xp.where(rejected, 1.0 - kept, 1.0)
    weights = or_target(xp.clip(shared.target - shared.won, min=0.0), shared.target)
    emitted[rejected] = invert(weights[0] if len(weights) == 1 else weights[row[rejected]], again[rejected])
    accepted = xp.where(rejected, -1, winner)
    return Selection(xp.reshape(emitted, drafts.shape[:-1]), xp.reshape(accepted, drafts.shape[:-1]))


def _winners(
    shared: SharedRows, row: AnyArray, tokens: AnyArray, uniforms: AnyArray, shape: tuple[int, ...]
) -> AnyArray:
    """Which of the drafts wins, shape (n,): found on the processor, from their sets alone."""
    xp = array_namespace(tokens)
    drawn = xp.where(shared.draft[row[:, None], tokens] > 0, shared.of_token[row[:, None], tokens], -1)
    rows, sets, points = (np.asarray(to_device(part, "cpu")) for part in (row, drawn, uniforms))
    winners = np.empty(len(sets), dtype=np.int64)
    intervals = PrioritySets(shared.length, shared.tiling.first, *shared.tiling[:4])
    wrong = win_all(intervals, rows, sets, points.astype(np.float64), winners)
    if wrong >= 0:
        index = tuple(map(int, np.unravel_index(wrong, shape)))
        raise not_drawn(index, int(tokens.reshape(shape)[index]), 0.0)
    return xp.asarray(winners, device=device(tokens))


def share_rows(draft: AnyArray, target: AnyArray, num_drafts: int, tolerance: float) -> SharedRows:
    """Cut sets for the tokens of tensors of shape (R, V); what is accepted is within the tolerance of the optimum.

    Raises
    ------
    InvalidInput
        If a row is not a distribution.

    Examples
    --------
    >>> import torch
    >>> rows = torch.asarray([[0.5, 0.25, 0.25]]), torch.asarray([[0.25, 0.375, 0.375]])
    >>> shared = share_rows(*rows, 2, 1e-5)
    >>> shared.of_token.tolist(), shared.won.tolist()
    ([[0, 1, 1]], [[0.25, 0.375, 0.375]])
    """
    xp = array_namespace(draft, target)
    proposal, law = normalised(draft, "draft"), normalised(target, "target")
    drafted = proposal > 0
    # No token wins with density above k, so that more of q matters only for the order, where that is to be kept.
    wanted = xp.minimum(law, num_drafts * proposal) if tolerance else law
    # What cannot be drafted has no mass in any set.
    ratio = xp.where(drafted, wanted / xp.where(drafted, proposal, 1.0), num_drafts)
    of_token, masses = _buckets(proposal, wanted, ratio, tolerance)
    lengths, targets = (np.asarray(to_device(part, "cpu")) for part in masses)
    tiling = _tile(lengths, targets, num_drafts)
    density = np.divide(tiling.won, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    won = proposal * gather(xp.asarray(density, device=device(proposal)), of_token)
    return SharedRows(proposal, law, of_token, won, lengths, tiling)


def normalised(rows: AnyArray, name: str) -> AnyArray:
    """Check rows of tensors as :func:`~specproof.theory.distribution.as_distribution` does; in float64, normalised."""
    xp = array_namespace(rows)
    exact = xp.astype(rows, xp.float64)
    totals = xp.sum(exact, axis=-1, keepdims=True)
    close = xp.abs(totals - 1.0) <= sum_tolerance(rows, rows.shape[-1])
    if not bool(xp.all((exact >= 0) & close)):
        return xp.asarray(as_distribution(to_device(rows, "cpu"), name), device=device(rows))
    return exact / totals


def _buckets(
    draft: AnyArray, wanted: AnyArray, ratio: AnyArray, tolerance: float
) -> tuple[AnyArray, tuple[AnyArray, AnyArray]]:
    """The bucket of each token, counted by ratio ascending in each row, and the masses of both laws in the buckets."""
    xp = array_namespace(draft)
    order = xp.argsort(ratio, axis=-1)
    ascending, mass = (xp.take_along_axis(rows, order, axis=-1) for rows in (ratio, draft))
    apart = xp.concat([xp.zeros_like(ascending[:, :1]), ascending[:, 1:] - ascending[:, :-1]], axis=-1)
    place = xp.cumulative_sum(xp.sqrt(mass * apart), axis=-1)
    step = xp.clip((8.0 * tolerance or 1.0) / place[:, -1:], max=1.0)
    of_rank = xp.zeros_like(order)
    for halving in range(0 if tolerance else _HALVINGS, _HALVINGS + 1):
        steps = xp.floor(place / step)
        cuts = steps[:, 1:] > steps[:, :-1] if halving < _HALVINGS else apart[:, 1:] > 0
        of_rank[:, 1:] = xp.cumulative_sum(xp.astype(cuts, xp.int64), axis=-1)
        of_token = xp.zeros_like(order).scatter(-1, order, of_rank)
        empty = xp.zeros((draft.shape[0], int(xp.max(of_rank)) + 1), dtype=xp.float64, device=device(draft))
        masses = empty.scatter_add(-1, of_token, draft), empty.scatter_add(-1, of_token, wanted)
        mean = masses[1] / xp.where(masses[0] > 0, masses[0], 1.0)
        lost = xp.sum(xp.clip(gather(mean, of_token) * draft - wanted, min=0.0), axis=-1, keepdims=True)
        if not bool(xp.any(lost > tolerance)):
            break
        step = xp.where(lost > tolerance, 0.5 * step, step)
    return of_token, masses


def _tile(draft: Array, target: Array, num_drafts: int) -> Tiling:
    """Cut the sets of buckets, shape (R, B); those without mass p, with which shorter rows end, get nothing."""
    order: NDArray[np.int64] = np.broadcast_to(np.arange(draft.shape[1]), draft.shape)
    tiling: Tiling = tile_rows(draft, target, np.ascontiguousarray(order), num_drafts)
    return tiling
