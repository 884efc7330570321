"""Draft sequences: the sampler whose law is :mod:`specproof.theory.sequences` (Sun et al. 2023, Algorithm 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import specproof.theory.distribution as distribution
from specproof.simulations.samplers.inversion import AnyArray, cumulative_shares, invert_after
from specproof.simulations.samplers.rejections import paired_steps
from specproof.simulations.samplers.selection import Selection, SelectionSampler, checked_namespace
from specproof.theory.chain import MarkovChain, check_same_size
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

Survivors = Callable[[AnyArray, AnyArray, Selection], AnyArray]
"""``survivors(alive, drafts, selection)``: which sequences live on after a level, see :func:`agreeing`."""


class Blocks(NamedTuple):
    """What independent calls of the target yield, each from the start of the chain."""

    tokens: NDArray[np.int64]
    """Emitted tokens, shape (trials, L + 1); -1 after the last one."""
    accepted: NDArray[np.int64]
    """How many of them were drafted, 0..L, shape (trials,): one less than were emitted."""


def verify_level(
    draft: AnyArray, target: AnyArray, drafts: AnyArray, alive: AnyArray, uniforms: AnyArray, verifier: SelectionSampler
) -> Selection:
    """Select one token of each block: the rule for k drafts, where k are still alive, whichever they are.

    Uniforms and order are those of the draft's place among the living: the l-th living draft meets number l, and the
    last number of the row inverts the residual. (Sun et al. 2023, Algorithm 3, one level.)

    Parameters
    ----------
    draft, target : array, shape (V,) or (B, V)
        The laws of the next token after what each block has emitted. Trusted to be distributions.
    drafts : array of int64, shape (B, K)
        The next token of every draft sequence; what the dead ones hold is not read.
    alive : array of bool, shape (B, K)
        Which sequences agree with all that was emitted, see :func:`agreeing`. Trusted to leave one alive in each row.
    uniforms : array, shape (B, K + 1)
        Independent numbers in [0, 1).
    verifier : SelectionSampler
        A rule for any number of drafts, as in :data:`specproof.simulations.samplers.SAMPLERS`.

    Returns
    -------
    Selection
        The emitted tokens, shape (B,), and which of the K sequences was accepted, or -1: then the block ends.

    Raises
    ------
    InvalidInput
        If the shapes or kinds of the arrays do not go together.
    """
    xp = checked_namespace(draft, target, drafts, uniforms)
    if getattr(alive, "shape", None) != drafts.shape or alive.dtype != xp.bool:
        raise InvalidInput(f"alive is not a boolean array of shape {tuple(drafts.shape)}, one entry for each draft")
    tokens, accepted = xp.empty_like(drafts[:, 0]), xp.empty_like(drafts[:, 0])
    living_first = xp.argsort(xp.astype(~alive, xp.int8), axis=-1, stable=True)
    left = xp.sum(xp.astype(alive, xp.int64), axis=-1)
    for count in range(1, drafts.shape[1] + 1):
        rows = xp.nonzero(left == count)[0]
        if rows.shape[0] == 0:
            continue
        places = living_first[rows, :count]
        numbers = xp.concat([uniforms[rows, :count], uniforms[rows, -1:]], axis=-1)
        proposal, law = (given if given.ndim == 1 else given[rows] for given in (draft, target))
        found = verifier(proposal, law, xp.take_along_axis(drafts[rows], places, axis=-1), numbers)
        place = xp.clip(found.accepted, min=0)[:, None]
        index = xp.take_along_axis(places, place, axis=-1)[:, 0]
        tokens[rows], accepted[rows] = found.tokens, xp.where(found.accepted >= 0, index, -1)
    return Selection(tokens, accepted)


def agreeing(alive: AnyArray, drafts: AnyArray, selection: Selection) -> AnyArray:
    """Which sequences live on, shape (B, K): those that carry the emitted token, if it was one of the drafts.

    Copies of the accepted token live whether they were tried before it, and rejected, or not at all: what follows them
    is independent of the selection. After a rejection none lives.
    """
    return alive & (drafts == selection.tokens[:, None]) & (selection.accepted >= 0)[:, None]


def simulate(
    draft: MarkovChain,
    target: MarkovChain,
    num_drafts: int,
    length: int,
    trials: int,
    rng: np.random.Generator,
    verifier: SelectionSampler,
    survivors: Survivors = agreeing,
) -> Blocks:
    """Draft K sequences of L tokens from the start of a chain and verify them, many times over.

    Parameters
    ----------
    draft, target : MarkovChain
        Of one size and horizon, at least L + 1.
    num_drafts, length, trials : int
        K, L and the number of independent blocks, each >= 1.
    rng : numpy Generator
    verifier : SelectionSampler
        As in :func:`verify_level`.
    survivors : callable, optional
        May be that of a deliberately broken rule.

    Raises
    ------
    InvalidInput
        If the two are not Markov chains or differ in size or horizon, K, L or trials is not an integer >= 1, or L is
        not below the horizon.
    """
    check_same_size(draft, target, MarkovChain)
    count = one_num_drafts(num_drafts)
    length, trials = positive_integer(length, "length"), positive_integer(trials, "trials")
    if length >= target.horizon:
        raise InvalidInput(
            f"length is {length!r}: a block and its bonus token must fit into the horizon, so it lies in "
            f"1..{target.horizon - 1}"
        )
    proposal, law = paired_steps(draft, target)
    shares = cumulative_shares(proposal)
    emitted, accepted = np.full((trials, length + 1), -1), np.full(trials, length)
    rows, last = np.arange(trials), np.zeros(trials, dtype=np.int64)
    drafts, alive = np.zeros((trials, count), dtype=np.int64), np.ones((trials, count), dtype=np.bool_)
    for level in range(length):
        step = min(level, law.shape[0] - 1)
        drafts = invert_after(shares[step], drafts, rng.random(drafts.shape))
        found = _by_context(proposal[step], law[step], last, drafts, alive, rng, verifier)
        emitted[rows, level] = found.tokens
        goes_on = found.accepted >= 0
        accepted[rows[~goes_on]] = level
        alive = survivors(alive, drafts, found)[goes_on]
        rows, drafts, last = rows[goes_on], drafts[goes_on], found.tokens[goes_on]
    final = cumulative_shares(law[min(length, law.shape[0] - 1)])
    emitted[rows, length] = invert_after(final, last, rng.random(last.shape))
    return Blocks(emitted, accepted)


def _by_context(
    proposal: distribution.Array,
    law: distribution.Array,
    last: NDArray[np.int64],
    drafts: NDArray[np.int64],
    alive: NDArray[np.bool_],
    rng: np.random.Generator,
    verifier: SelectionSampler,
) -> Selection:
    """Select one token of each block, those after one last token together: a rule prepares each pair of laws once."""
    found = Selection(np.empty_like(last), np.empty_like(last))
    for context in np.unique(last):
        here = last == context
        numbers = rng.random((np.count_nonzero(here), drafts.shape[1] + 1))
        selection = verify_level(proposal[context], law[context], drafts[here], alive[here], numbers, verifier)
        found.tokens[here], found.accepted[here] = selection
    return found


def complete(blocks: Blocks, target: MarkovChain, rng: np.random.Generator) -> NDArray[np.int64]:
    """Let the target go on where a block is shorter than L + 1 tokens, shape (trials, L + 1)."""
    shares = cumulative_shares(paired_steps(target, target)[1])
    tokens = blocks.tokens.copy()
    for position in range(1, tokens.shape[1]):
        missing = np.flatnonzero(tokens[:, position] < 0)
        here = shares[min(position, shares.shape[0] - 1)]
        tokens[missing, position] = invert_after(here, tokens[missing, position - 1], rng.random(len(missing)))
    return tokens
