r"""Block verification of one drafted sequence: how much of it is kept is decided for the whole block at once.

With :math:`w_0 = 1` and :math:`w_l = \min(1, w_{l-1} q(x_l)/p(x_l))`, the chance that the first l drafts are kept, the
rule stops after l of them, tried from the last one down, with probability

.. math:: h_l = \frac{R_l}{R_l + 1 - w_l}, \qquad R_l = \sum_x [w_l q(x) - p(x)]_+, \qquad h_L = w_L,

q and p at the position after them, and emits a token from :math:`[w_l q - p]_+ / R_l`, or from q after all L. [1]_

References
----------
.. [1] Z. Sun et al. Block Verification Accelerates Speculative Decoding. ICLR 2025, arXiv:2403.10444.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, is_torch_array
from numpy.typing import NDArray

from specproof.simulations.samplers.inversion import AnyArray, invert, invert_once
from specproof.simulations.samplers.selection import or_target
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput


class Block(NamedTuple):
    """What was kept of each block, and the token that follows it."""

    accepted: AnyArray
    """How many drafts were kept, int64, shape (n,)."""
    tokens: AnyArray
    """The token emitted after them, int64, shape (n,)."""


def verify(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Block:
    """Verify n blocks of L >= 1 drafted tokens; NumPy arrays are read by a compiled loop.

    Parameters
    ----------
    draft : array, shape (n, L, V)
        The distributions that the tokens were drawn from. Trusted to be distributions, as the target's.
    target : array, shape (n, L + 1, V)
        The distributions to emit from, the last one after all drafts.
    drafts : array of int64, shape (n, L)
        The drafted tokens. Trusted to be tokens.
    uniforms : array, shape (n, L + 1)
        Independent numbers in [0, 1): one to stop with after each number of drafts, and the one of the last token.

    Raises
    ------
    InvalidInput
        If the shapes of the arrays do not go together.

    Examples
    --------
    >>> draft, target = np.array([[[0.5, 0.5]]]), np.array([[[0.25, 0.75], [1.0, 0.0]]])
    >>> verify(draft, target, np.array([[0]]), np.array([[0.4, 0.5]]))
    Block(accepted=array([1]), tokens=array([0]))
    >>> verify(draft, target, np.array([[0]]), np.array([[0.6, 0.5]]))
    Block(accepted=array([0]), tokens=array([1]))
    """
    count, length = drafts.shape
    for name, array, needed in (
        ("draft", draft, (count, length, target.shape[-1])),
        ("target", target, (count, length + 1, target.shape[-1])),
        ("uniforms", uniforms, (count, length + 1)),
    ):
        if tuple(array.shape) != needed:
            raise InvalidInput(
                f"{name} has shape {tuple(array.shape)}: drafts of shape {(count, length)} take {needed}"
            )
    if not is_torch_array(drafts):
        block = Block(np.empty(count, np.int64), np.empty(count, np.int64))
        _run(draft, target, drafts, uniforms, block.accepted, block.tokens)
        return block
    xp = array_namespace(draft, target, drafts, uniforms)
    weights, masses = [xp.ones_like(uniforms[:, 0])], []
    for place in range(length):
        masses.append(residual_mass(weights[-1], draft[:, place], target[:, place]))
        weights.append(next_weight(weights[-1], draft[:, place], target[:, place], drafts[:, place]))
    chances = xp.stack(weights, axis=1)
    kept = accepted_length(chances, xp.stack([*masses, weights[-1]], axis=1), uniforms)
    rows = xp.arange(count, device=drafts.device)
    law = target[rows, kept]
    replaced = replacement_weights(chances[rows, kept], draft[rows, xp.clip(kept, max=length - 1)], law)
    return Block(kept, invert(xp.where((kept < length)[:, None], replaced, law), uniforms[:, -1]))


def next_weight(weight: AnyArray, draft: AnyArray, target: AnyArray, tokens: AnyArray) -> AnyArray:
    """The chance that a block is kept up to its next token: min(1, w q(x)/p(x)), shape (n,)."""
    xp = array_namespace(weight, draft, target, tokens)
    offered, proposed = (xp.take_along_axis(law, tokens[:, None], axis=-1)[:, 0] for law in (target, draft))
    allowed = weight * offered
    # Divided only where the result is below 1: a quotient of tiny numbers overflows.
    below = allowed < proposed
    return xp.where(below, allowed / xp.where(below, proposed, 1.0), xp.astype(proposed > 0, proposed.dtype))


def residual_mass(weight: AnyArray, draft: AnyArray, target: AnyArray) -> AnyArray:
    """The sum R of [w q - p]+, shape (n,)."""
    xp = array_namespace(weight, draft, target)
    return xp.sum(xp.clip(weight[:, None] * target - draft, min=0.0), axis=-1)


def replacement_weights(weight: AnyArray, draft: AnyArray, target: AnyArray) -> AnyArray:
    """What the token after a block that ends early is drawn from, [w q - p]+, shape (n, V)."""
    xp = array_namespace(weight, draft, target)
    return or_target(xp.clip(weight[:, None] * target - draft, min=0.0), target)


def accepted_length(weights: AnyArray, masses: AnyArray, uniforms: AnyArray) -> AnyArray:
    """How many drafts are kept: the last number at which the rule stops, tried from L down to 1, and otherwise 0.

    Parameters
    ----------
    weights : array, shape (n, L + 1)
        The chances w of the blocks that begin each row, from 1 for none.
    masses : array, shape (n, L + 1)
        The masses R after 0 to L drafts. Where a block ends, as after all L, nothing is drafted, and R = w.
    uniforms : array, shape (n, L) or more columns
        The number in column l - 1 is for l drafts.
    """
    xp = array_namespace(weights, masses, uniforms)
    length = weights.shape[1] - 1
    weight, mass = weights[:, 1:], masses[:, 1:]
    # u < R / (R + 1 - w) without the division, which is 0 / 0 where no block ends: then the rule stops.
    stops = (uniforms[:, :length] * (mass + 1 - weight) < mass) | ((weight >= 1) & (mass <= 0))
    places = xp.arange(1, length + 1, device=stops.device)
    return xp.max(xp.where(stops, places, 0), axis=1)


@compiled()
def _run(
    draft: Array,
    target: Array,
    drafts: NDArray[np.int64],
    uniforms: Array,
    accepted: NDArray[np.int64],
    tokens: NDArray[np.int64],
) -> None:
    length, size = drafts.shape[1], target.shape[2]
    weights, residual = np.ones(length + 1), np.empty(size)
    for row in range(drafts.shape[0]):
        for place in range(length):
            token = drafts[row, place]
            proposed, allowed = draft[row, place, token], weights[place] * target[row, place, token]
            weights[place + 1] = allowed / proposed if allowed < proposed else (1.0 if proposed > 0.0 else 0.0)
        kept = length
        while kept > 0:
            weight, uniform = weights[kept], uniforms[row, kept - 1]
            if kept == length:
                if uniform < weight:
                    break
            else:
                mass = _row_mass(weight, draft[row, kept], target[row, kept])
                if uniform * (mass + 1.0 - weight) < mass or (weight >= 1.0 and mass <= 0.0):
                    break
            kept -= 1
        accepted[row] = kept
        if kept == length:
            tokens[row] = invert_once(target[row, kept], uniforms[row, length])
        else:
            _fill_residual(weights[kept], draft[row, kept], target[row, kept], residual)
            tokens[row] = invert_once(residual, uniforms[row, length])


@compiled(fastmath={"reassoc", "nsz"})  # so that several entries are added at a time
def _row_mass(weight: Any, draft: Array, target: Array) -> float:
    mass = 0.0
    for token in range(draft.size):
        excess = weight * target[token] - draft[token]
        mass += excess if excess > 0.0 else 0.0
    return mass


@compiled()
def _fill_residual(weight: Any, draft: Array, target: Array, residual: Array) -> None:
    """The weights [w q - p]+, or the target's where rounding leaves none of them."""
    found = False
    for token in range(residual.size):
        residual[token] = max(weight * target[token] - draft[token], 0.0)
        found = found or residual[token] > 0.0
    if not found:
        residual[:] = target
