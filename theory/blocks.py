r"""Block verification (Sun et al. 2024): one draft sequence, verified from its far end.

For a drafted block :math:`x_1, ..., x_L` let :math:`w_0 = 1`, :math:`w_l = \min(1, w_{l-1} q_l(x_l) / p_l(x_l))`, and
:math:`R_l = \sum_y [w_l q_{l+1}(y) - p_{l+1}(y)]_+` over the next token. From the far end, length l is accepted with
probability :math:`h_L = w_L`, :math:`h_l = R_l / (R_l + 1 - w_l)`, and the token after it is drawn from the residual
:math:`[w_l q_{l+1} - p_{l+1}]_+ / R_l`, or from the target after the whole block.

It is lossless [1]_. Since :math:`p_{l+1} w_{l+1} = \min(p_{l+1}, w_l q_{l+1})`, the mean of :math:`w_{l+1}` given
:math:`x^l` is :math:`w_l - R_l`. By induction from the far end all lengths beyond l are refused with probability
:math:`1 - w_l + R_l` given :math:`x^l`: this holds at L - 1, and if it holds at l, then l is refused too with
probability :math:`(1 - h_l)(1 - w_l + R_l) = 1 - w_l`, whose mean given :math:`x^{l-1}` is
:math:`1 - w_{l-1} + R_{l-1}`. So given :math:`x^l` length l or more is accepted with probability :math:`w_l`, and the
call ends by emitting y after it with probability :math:`[w_l q_{l+1}(y) - p_{l+1}(y)]_+`. With
:math:`M(x^l) = p(x^l) w_l` the output goes on from :math:`x^l` to y with probability
:math:`M(x^l y) + p(x^l) [w_l q_{l+1}(y) - p_{l+1}(y)]_+ = M(x^l) q_{l+1}(y)`, which telescopes to the target's law, and
the expected accepted length is :math:`\sum_l E_p[w_l]`.

References
----------
.. [1] Sun et al. 2024, Block Verification Accelerates Speculative Decoding, arXiv 2403.10444, Algorithm 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.display import html_record, one_line
from specproof.theory.distribution import Array, as_distribution, normalise_or_zero
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.looks import Look, register_look


@dataclass(frozen=True, eq=False, repr=False)
class BlockLaw:
    """The exact law of what is accepted of given drafts, and of the token that ends the block.

    Attributes
    ----------
    weights : array, shape (..., L + 1)
        At least l drafts are accepted with this probability given the first l; 1 at l = 0.
    stopping : array, shape (..., L + 1)
        Length l is accepted with this probability given that all greater lengths were refused; 1 at l = 0.
    residual : array, shape (..., L + 1, V)
        The token after l accepted drafts has this law; a row is all zeros where no block ends there.

    Examples
    --------
    >>> from specproof import block_verification
    >>> law = block_verification([[0.5, 0.5]], [[0.25, 0.75], [0.5, 0.5]], tokens=[0])
    >>> law.weights.tolist(), law.accepted.tolist(), law.residual.tolist()
    ([1.0, 0.5], [0.5, 0.5], [[0.0, 1.0], [0.5, 0.5]])
    """

    weights: Array
    stopping: Array
    residual: Array

    __repr__ = one_line
    _repr_html_ = html_record

    @property
    def accepted(self) -> Array:
        """The law of the accepted length given all drafts, shape (..., L + 1)."""
        refused = np.cumprod(1.0 - self.stopping[..., ::-1], axis=-1)[..., ::-1]
        law: Array = self.stopping.copy()
        law[..., :-1] *= refused[..., 1:]
        return law


def block_verification(draft: ArrayLike, target: ArrayLike, tokens: ArrayLike) -> BlockLaw:
    """The law of block verification for drafts that are given.

    Parameters
    ----------
    draft : array_like, shape (..., L, V)
        The law that each draft was drawn from, given the drafts before it.
    target : array_like, shape (..., L + 1, V)
        The target's laws at the same places, and after the last draft.
    tokens : array_like of int, shape (..., L)
        The drafts. One that has probability 0 under the draft has weight 0: it cannot have been drawn.

    Raises
    ------
    InvalidInput
        If a row is not a distribution, the shapes do not go together, or a token is not one of the V.

    Examples
    --------
    The second draft has twice the probability that the target gives it, the first half: together they are right.

    >>> from specproof import block_verification
    >>> rows = [[0.25, 0.75], [0.5, 0.5]]
    >>> block_verification(rows, [[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]], tokens=[0, 0]).weights.tolist()
    [1.0, 1.0, 0.5]
    """
    proposal, law, drafts = _checked(draft, target, tokens)
    length = drafts.shape[-1]
    weights = np.ones((*drafts.shape[:-1], length + 1))
    for level in range(length):
        chosen = drafts[..., level, np.newaxis]
        given, wanted = (np.take_along_axis(rows[..., level, :], chosen, axis=-1)[..., 0] for rows in (proposal, law))
        allowed = weights[..., level] * wanted
        weights[..., level + 1] = np.divide(allowed, given, out=np.array(given > 0, dtype=float), where=allowed < given)
    excess = np.maximum(weights[..., :-1, np.newaxis] * law[..., :-1, :] - proposal, 0.0)
    left = excess.sum(axis=-1)
    ended = left + 1.0 - weights[..., :-1]
    stopping = weights.copy()
    # Where nothing ends a length can be refused by no chance, or is not come to; length 0 is never refused.
    stopping[..., :-1] = np.divide(left, ended, out=np.ones_like(left), where=ended > 0)
    stopping[..., 0] = 1.0
    return BlockLaw(weights, stopping, np.concatenate((normalise_or_zero(excess), law[..., -1:, :]), axis=-2))


def _checked(draft: ArrayLike, target: ArrayLike, tokens: ArrayLike) -> tuple[Array, Array, NDArray[np.int64]]:
    proposal, law = as_distribution(draft, "draft"), as_distribution(target, "target")
    if proposal.ndim < 2 or proposal.shape[-2] == 0:
        raise InvalidInput(
            f"draft has shape {proposal.shape}: it must be (..., L, V), one law for each of L >= 1 drafts"
        )
    *rows, length, size = proposal.shape
    if law.shape != (*rows, length + 1, size):
        raise InvalidInput(
            f"target has shape {law.shape}: it must be {(*rows, length + 1, size)}, one law more than draft"
        )
    try:
        drafts = np.asarray(tokens)
    except ValueError as error:
        raise InvalidInput(f"tokens is not an array of integers ({error})") from None
    if drafts.dtype.kind not in "iu" or drafts.shape != (*rows, length):
        raise InvalidInput(
            f"tokens has shape {drafts.shape} and dtype {drafts.dtype}: it must be {(*rows, length)}, integers"
        )
    outside = (drafts < 0) | (drafts >= size)
    if outside.any():
        where, index = first_entry(outside, "tokens")
        raise InvalidInput(f"{where} is {drafts[index]}: it must be a token, in 0..{size - 1}")
    return proposal, law, drafts.astype(np.int64)


register_look("block", Look("block verification", "#56B4E9", "P"))
