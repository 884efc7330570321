r"""The division factor rho* of K-SEQ for rows of any array library, where they are: all rows are solved side by side.

The method is that of :mod:`specproof.theory.verifiers.kseq.factor`, an array at a time: Newton's steps for
:math:`F(\rho) = k \log(1-\beta) - \log(1-\rho\beta)`, which rises, in a bracket that is halved where a step leaves it
or is longer than half of the last one. A pass over the rows is some operations on all of them, and asks the device once
whether all are settled.
"""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace

from specproof.simulations.samplers.inversion import AnyArray

_LAST_STEP = 2.0**-46
"""What a step of this size leaves, relatively, is below rounding."""

_NEAR = 2.0**-10
"""The step before the last has to be this short already, relatively."""

_RESOLUTION = 2.0**-51
"""A bracket of this relative size is the last: two units in the last place."""

_INNER_STEPS = 4
"""So often Newton's method is applied to the sums of one pass."""

_PASSES = 128
"""More than any row needs, as halvings alone end a bracket inside [1, k]."""


class _Search(NamedTuple):
    """How far the search for each row is, arrays of shape (...)."""

    rho: AnyArray
    low: AnyArray
    high: AnyArray
    length: AnyArray
    """The length of the last step."""
    going: AnyArray
    """Which rows are not settled."""


class _Split(NamedTuple):
    """Sums over the tokens of each row at its factor, arrays of shape (...)."""

    head: AnyArray
    """p where q > rho p"""
    tail: AnyArray
    """q elsewhere"""
    excess: AnyArray
    """[q - rho p]+, which is 1 - rho beta"""
    missed: AnyArray
    """[p - q/rho]+, which is 1 - beta"""


def smallest_factor(draft: AnyArray, target: AnyArray, num_drafts: int) -> AnyArray:
    """Find rho* of trusted rows of shape (V,) or (..., V), shape (...), in float64 on the device of the rows.

    Examples
    --------
    >>> import torch
    >>> smallest_factor(torch.asarray([0.5, 0.5]), torch.asarray([0.25, 0.75]), 2)
    tensor(1.3090, dtype=torch.float64)
    """
    xp = array_namespace(draft, target)
    proposal, law = (xp.astype(rows, xp.float64) for rows in (draft, target))
    one = xp.ones_like(xp.sum(proposal, axis=-1) + xp.sum(law, axis=-1))
    search = _Search(one, one, one * num_drafts, one * num_drafts, one * num_drafts > 1)
    for _ in range(_PASSES):
        if not bool(xp.any(search.going)):
            break
        search = _narrowed(search, _split(proposal, law, search.rho), num_drafts)
    return search.rho


def _split(draft: AnyArray, target: AnyArray, rho: AnyArray) -> _Split:
    xp = array_namespace(draft, target)
    lacking = target - rho[..., None] * draft
    above = lacking > 0
    return _Split(
        xp.sum(xp.where(above, draft, 0.0), axis=-1),
        xp.sum(xp.where(above, 0.0, target), axis=-1),
        xp.sum(xp.clip(lacking, min=0.0), axis=-1),
        xp.sum(xp.clip(-lacking, min=0.0), axis=-1) / rho,
    )


def _narrowed(search: _Search, split: _Split, num_drafts: int) -> _Search:
    """Move the rows that are not settled by Newton's step, or to the middle of their brackets."""
    xp = array_namespace(search.rho)
    rho, low, high, length, going = search
    value, step = _step(split, num_drafts, rho)
    following = rho + step
    short = xp.abs(step) <= xp.minimum(_LAST_STEP * rho, 0.5 * length)
    settled = short & (length <= _NEAR * rho)
    low, high = xp.where(value >= 0, low, rho), xp.where(value >= 0, rho, high)
    inside = (low < following) & (following < high) & (xp.abs(step) <= 0.5 * length)
    ended = xp.where(settled, xp.minimum(xp.maximum(following, low), high), high)
    settled = settled | (high - low <= _RESOLUTION * high)
    moved = xp.where(settled, ended, xp.where(inside, following, 0.5 * (low + high)))
    moved = xp.where(going, moved, rho)
    return _Search(moved, low, high, xp.abs(moved - rho), going & ~settled)


def _step(split: _Split, num_drafts: int, rho: AnyArray) -> tuple[AnyArray, AnyArray]:
    """F and the step to where it vanishes if no token changes sides; F is infinite where nothing is to be solved.

    That is where all is accepted or nothing can be. The step is Newton's to first order.
    """
    xp = array_namespace(rho)
    head, tail, excess, missed = split
    beta = head + tail / rho
    solvable = (excess > 0) & (beta > 0) & (missed > 0)
    beta, excess, missed = (xp.where(solvable, part, 0.5) for part in (beta, excess, missed))
    small = num_drafts * beta <= 1.0
    few = xp.where(small, beta, 0.0)
    from_few = num_drafts * xp.log1p(-few) - xp.log1p(-rho * few)
    # Where 1 - beta or 1 - rho beta may be far below 1, each is taken as a sum of what is missed.
    value = xp.where(small, from_few, num_drafts * xp.log(missed) - xp.log(excess))
    value = xp.where(solvable, value, xp.inf)
    newton = -value / (num_drafts * tail / (rho * rho * missed) + head / excess)
    step = newton
    for _ in range(_INNER_STEPS):
        found, lost = tail * step / (rho * (rho + step)), head * step
        gained = num_drafts * xp.log1p(found / missed) - xp.log1p(-lost / excess)
        steeper = num_drafts * tail / ((rho + step) ** 2 * (missed + found))
        step = step - (value + gained) / (steeper + head / (excess - lost))
    return value, xp.where(xp.isfinite(step), step, newton)
