"""One draft, accepted or replaced: the maximal coupling of the draft law with the target, whatever else is drafted."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.distribution import Array, as_pair, normalise_or_zero
from specproof.theory.drafts import num_drafts_of_array, one_num_drafts
from specproof.theory.ratio import acceptance_ratio
from specproof.theory.rationals import as_fraction_pair
from specproof.theory.verifiers.in_order import agreement_along, agreement_in_order
from specproof.theory.verifiers.registry import Verifier, register_verifier
from specproof.theory.verifiers.selection_law import SelectionLaw


def maximal_coupling(draft: ArrayLike, target: ArrayLike) -> SelectionLaw:
    r"""Accept x ~ p with probability min(1, q(x)/p(x)), else emit from the residual [q - p]+.

    The output law is exactly q and the acceptance is :math:`\sum_i \min(p_i, q_i) = 1 - TV(p, q)`, which no coupling
    of p and q exceeds [1]_ [2]_.

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
        Leading axes broadcast.

    Raises
    ------
    InvalidInput
        If either is not a distribution or the two do not match.

    References
    ----------
    .. [1] Leviathan, Kalman, Matias 2023, Fast Inference from Transformers via Speculative Decoding, Algorithm 1.
    .. [2] Sun et al. 2023, SpecTr: Fast Speculative Decoding via Optimal Transport, arXiv 2310.15141, Algorithm 1.

    Examples
    --------
    >>> law = maximal_coupling([0.5, 0.5], [0.25, 0.75])
    >>> float(law.acceptance), law.residual.tolist(), law.output.tolist()
    (0.75, [0.0, 1.0], [0.25, 0.75])
    """
    draft_rows, target_rows = as_pair(draft, target)
    accepted = np.minimum(draft_rows, target_rows)
    replaced = normalise_or_zero(np.maximum(target_rows - draft_rows, 0.0))
    return SelectionLaw(accepted, replaced, np.minimum(accepted.sum(axis=-1), 1.0))


def single_law(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> SelectionLaw:
    """The law of :func:`maximal_coupling`, whatever the number of drafts: the others are drawn and ignored.

    Raises
    ------
    InvalidInput
        As :func:`maximal_coupling`, or if k is not an integer >= 1.

    Examples
    --------
    >>> float(single_law([0.5, 0.5], [0.25, 0.75], 8).acceptance)
    0.75
    """
    one_num_drafts(num_drafts)
    return maximal_coupling(draft, target)


def single_acceptance(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    """The acceptance of :func:`single_law` alone, shape (...).

    Raises
    ------
    InvalidInput
        As :func:`single_law`.

    Examples
    --------
    >>> float(single_acceptance([0.5, 0.5], [0.25, 0.75], 8))
    0.75
    """
    one_num_drafts(num_drafts)
    overlap: Array = np.minimum(*as_pair(draft, target)).sum(axis=-1)
    return np.minimum(overlap, 1.0)


def single_agreement(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    """The probability that token i is accepted and j = 1..k drafts are token i, shape (..., V, k).

    The first draft alone is tried, with chance min(p, q).

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
    num_drafts : int
        k >= 1.

    Raises
    ------
    InvalidInput
        If an argument is not a distribution, the two do not match, or k is not an integer >= 1 or so large that no
        array holds the result.

    Examples
    --------
    >>> single_agreement([0.5, 0.5], [0.25, 0.75], 2).tolist()
    [[0.125, 0.125], [0.25, 0.25]]
    """
    draft_rows, target_rows = as_pair(draft, target)
    chances = np.zeros((num_drafts_of_array(num_drafts, draft_rows.shape), *draft_rows.shape))
    chances[0] = np.minimum(draft_rows, target_rows)
    return agreement_in_order(draft_rows, chances)


def single_agreement_at(draft: Array, target: Array, tokens: NDArray[np.int64], num_drafts: int) -> Array:
    """The law of :func:`single_agreement` at one token of each row for k = 1..K, shape (n, K, K).

    Parameters are those of :data:`specproof.theory.verifiers.registry.AgreementAt`.

    Examples
    --------
    >>> single_agreement_at(np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]]), np.array([0]), 2).tolist()
    [[[0.25, 0.0], [0.125, 0.125]]]
    """
    rows = np.arange(tokens.size)
    chances = np.zeros((tokens.size, num_drafts))
    rejected = np.ones_like(chances)
    proposed = draft[rows, tokens]
    chances[:, 0] = np.minimum(proposed, target[rows, tokens])
    rejected[:, 0] = np.maximum(draft - target, 0.0).sum(axis=-1)
    return agreement_along(proposed, chances, rejected)


def single_given(draft: Array, target: Array, drafts: NDArray[np.int64]) -> Array:
    """The rule for given drafts: the first is accepted with probability min(1, q/p), shape (N, k).

    Parameters are those of :data:`specproof.theory.verifiers.registry.GivenDrafts`.

    Examples
    --------
    >>> single_given(np.array([0.5, 0.5]), np.array([0.25, 0.75]), np.array([[0, 1], [1, 0]])).tolist()
    [[0.5, 0.0], [1.0, 0.0]]
    """
    accepted = np.zeros(drafts.shape)
    accepted[:, 0] = acceptance_ratio(draft, target)[drafts[:, 0]]
    return accepted


def certify_single(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> tuple[Fraction, Fraction]:
    """The acceptance of one pair as a rational number, without rounding: both bounds are that number.

    Raises
    ------
    InvalidInput
        If the arguments are not one pair of distributions of shape (V,), or k is not an integer >= 1.

    Examples
    --------
    >>> certify_single([0.5, 0.5], [0.25, 0.75], 1)
    (Fraction(3, 4), Fraction(3, 4))
    """
    one_num_drafts(num_drafts)
    proposal, law = as_fraction_pair(draft, target, "certify_single")
    acceptance = sum(map(min, proposal, law), Fraction(0))
    return acceptance, acceptance


register_verifier(
    Verifier(
        name="single",
        label="one draft",
        colour="#D55E00",
        marker="^",
        law=single_law,
        agreement=single_agreement,
        agreement_at=single_agreement_at,
        given_drafts=single_given,
        certificate=certify_single,
        acceptance=single_acceptance,
    )
)
