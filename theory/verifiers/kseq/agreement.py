"""K-SEQ draft by draft: how many drafts carry the accepted token, and the rule for given drafts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.distribution import Array, as_pair
from specproof.theory.drafts import num_drafts_of_array
from specproof.theory.ratio import acceptance_ratio
from specproof.theory.verifiers.in_order import agreement_in_order, agreement_of_equal_tries, first_success
from specproof.theory.verifiers.kseq.factor import division_factor, factors_up_to


def kseq_agreement(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Array:
    """The probability that token i is accepted at rho* and j = 1..k drafts are token i, shape (..., V, k).

    Each draft has the chance min(p, q/rho*) [1]_.

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

    References
    ----------
    .. [1] Sun et al. 2023, arXiv 2310.15141, Algorithm 2.

    Examples
    --------
    Equal laws accept the first draft, and the second may carry the same token:

    >>> kseq_agreement([0.5, 0.5], [0.5, 0.5], 2).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """
    draft_rows, target_rows = as_pair(draft, target)
    count = num_drafts_of_array(num_drafts, draft_rows.shape)
    rho = division_factor(draft_rows, target_rows, count)
    once = np.minimum(draft_rows, target_rows / rho[..., np.newaxis])
    return agreement_in_order(draft_rows, np.broadcast_to(once, (count, *once.shape)))


def kseq_agreement_at(draft: Array, target: Array, tokens: NDArray[np.int64], num_drafts: int) -> Array:
    """The law of :func:`kseq_agreement` at one token of each row for k = 1..K, shape (n, K, K).

    Parameters are those of :data:`specproof.theory.verifiers.registry.AgreementAt`.

    Examples
    --------
    >>> kseq_agreement_at(np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]]), np.array([1]), 2).tolist()
    [[[0.5, 0.0], [0.25, 0.25]]]
    """
    rows = np.arange(tokens.size)
    proposed, wanted = draft[rows, tokens], target[rows, tokens]
    rho, missed = factors_up_to(draft, target, num_drafts)
    once = np.minimum(proposed[:, np.newaxis], wanted[:, np.newaxis] / rho)
    return agreement_of_equal_tries(proposed, once, missed)


def kseq_given(draft: Array, target: Array, drafts: NDArray[np.int64]) -> Array:
    """The rule for given drafts, shape (N, k): in order, each is accepted with probability min(1, q/(rho* p)).

    Parameters are those of :data:`specproof.theory.verifiers.registry.GivenDrafts`. (Sun et al. 2023, Algorithm 2.)

    Examples
    --------
    >>> kseq_given(np.array([0.5, 0.5]), np.array([0.5, 0.5]), np.array([[0, 1]])).tolist()
    [[1.0, 0.0]]
    """
    chances = acceptance_ratio(draft, target / division_factor(draft, target, drafts.shape[1]))
    return first_success(chances[drafts])
