r"""Recursive rejection sampling without replacement: distinct drafts tried in turn against the residual before them.

The drafts are drawn without replacement: :math:`p^1 = p`, and :math:`p^{m+1}` is :math:`p^m` without draft m,
renormalised. Draft m is accepted with probability :math:`\min(1, q^m/p^m)`, where :math:`q^1 = q` and
:math:`q^{m+1} \propto [q^m - p^m]_+`; when all fail, the token comes from :math:`q^{k+1}`. Each step couples
:math:`p^m` with :math:`q^m` given all that was rejected before, so the rule is lossless.
(Jeon et al. 2024, arXiv 2402.14160, recursive rejection sampling.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.distribution import Array, as_pair, normalise_or_zero
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.looks import Look, register_look
from specproof.theory.transport.draft_sets import check_support
from specproof.theory.verifiers.selection_law import SelectionLaw

LARGEST_TREE = 2_000_000
"""The histories of rejected drafts are followed with at most this many numbers at once."""


def recursive_rejection_without_replacement(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> SelectionLaw:
    r"""The exact law, by following every ordered tuple of rejected drafts; for small V or k.

    The acceptance is :math:`1 - E[\prod_{m \le k} TV(q^m, p^m)]` over drafts :math:`x_m \propto [p^m - q^m]_+`,
    those of a run in which all are rejected.

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
    num_drafts : int
        k >= 1, at most the number of tokens with p > 0. The work grows like V^k.

    Raises
    ------
    InvalidInput
        If an argument is not a distribution, the two do not match, k is not an integer >= 1 or exceeds the number of
        tokens that can be drafted, or the tuples take more than ``LARGEST_TREE`` numbers.

    Examples
    --------
    >>> from specproof import recursive_rejection_without_replacement
    >>> law = recursive_rejection_without_replacement([0.5, 0.5], [0.25, 0.75], 2)
    >>> float(law.acceptance)
    1.0
    """
    draft_rows, target_rows = as_pair(draft, target)
    count = one_num_drafts(num_drafts)
    check_support(draft_rows, count)
    accepted, left = np.empty_like(target_rows), np.empty_like(target_rows)
    for row in np.ndindex(draft_rows.shape[:-1]):
        accepted[row], left[row] = _follow(draft_rows[row], target_rows[row], count)
    return SelectionLaw(accepted, normalise_or_zero(left), np.minimum(accepted.sum(axis=-1), 1.0))


def _follow(draft: Array, target: Array, num_drafts: int) -> tuple[Array, Array]:
    """What is accepted, and what k drafts leave of the target, added up over all histories, both of shape (V,).

    Row by row a history holds its law of the next draft and its probability times the q^m it has come to. The first
    step takes |q| for 1, so that rounding in its sum leaves nothing where q = p.
    """
    proposals, lefts, masses = draft[np.newaxis], target[np.newaxis], np.ones(1)
    accepted = np.zeros_like(target)
    for index in range(num_drafts):
        offered = masses[:, np.newaxis] * proposals
        accepted += np.minimum(offered, lefts).sum(axis=0)
        rejected, residuals = np.maximum(offered - lefts, 0.0), np.maximum(lefts - offered, 0.0)
        if index + 1 == num_drafts:
            break
        proposals, lefts = _branch(proposals, rejected, residuals, num_drafts)
        masses = lefts.sum(axis=-1)
    return accepted, residuals.sum(axis=0)


def _branch(proposals: Array, rejected: Array, residuals: Array, num_drafts: int) -> tuple[Array, Array]:
    """Give every token that a history may reject a history of its own; the residual is shared in proportion."""
    shares = normalise_or_zero(np.where(residuals.any(axis=-1, keepdims=True), rejected, 0.0))
    rows, tokens = np.nonzero(shares)
    vocabulary = proposals.shape[-1]
    if rows.size * vocabulary > LARGEST_TREE:
        raise InvalidInput(
            f"num_drafts is {num_drafts}, and {vocabulary} tokens have {rows.size:,} histories of rejected drafts, "
            f"{rows.size * vocabulary:,} numbers (limit {LARGEST_TREE:,}): "
            "take fewer drafts, or estimate the acceptance by sampling"
        )
    shorter = proposals[rows]
    shorter[np.arange(rows.size), tokens] = 0.0
    return normalise_or_zero(shorter), residuals[rows] * shares[rows, tokens][:, np.newaxis]


register_look("recursive_distinct", Look("recursive rejection, distinct drafts", "#E69F00", "v"))
