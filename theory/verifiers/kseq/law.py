r"""K-SEQ (Sun et al. 2023, Algorithm 2): k drafts tried in turn with acceptance min(1, q/(rho p)).

Write :math:`\beta(\rho) = \sum_i \min(p_i, q_i/\rho)` for the chance that one draft is accepted. The rule is
valid, that is, a residual exists which makes it lossless, for every rho >= rho*, the root on [1, k] of
:math:`1 - (1 - \beta(\rho))^k = \rho \beta(\rho)`. A smaller factor is valid only if rho* caps no token, that is,
:math:`0 < q < \rho^* p` for none, as with a target of one token; then every factor up to rho* is the same rule.

*Proof.* Token i is accepted with :math:`t \min(p_i, q_i/\rho)`, where :math:`t(\rho) = (1-(1-\beta)^k)/\beta` rises
with rho and is above it exactly below rho*. A capped token gets :math:`q_i t/\rho`, which is at most :math:`q_i` just
if :math:`t \le \rho`; then so it is for all tokens. Let m be the least q/p where both are positive, so that factors
above m cap a token. Those up to m have one t, valid just if :math:`t \le m`, and then rho* = t caps none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.arrays import in_one_layout
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array, as_pair
from specproof.theory.drafts import hit_probability, one_num_drafts
from specproof.theory.verifiers.kseq.factor import checked_rho, solved
from specproof.theory.verifiers.selection_law import SelectionLaw


def kseq(draft: ArrayLike, target: ArrayLike, num_drafts: int, rho: ArrayLike | None = None) -> SelectionLaw:
    r"""The exact law of K-SEQ with k i.i.d. drafts.

    Acceptance is :math:`1-(1-\beta)^k`, token i accepted with :math:`\min(p_i, q_i/\rho)\,(1-(1-\beta)^k)/\beta`, and
    the residual is what the target still lacks. At rho* the acceptance is at least (1 - 1/e) of the optimum.
    ([1]_, Algorithm 2.)

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
    num_drafts : int
        k >= 1.
    rho : array_like, shape (...), optional
        Division factor in [rho*, k]; default rho*. A value below rho* by up to ``RHO_TOLERANCE`` counts as rho*.

    Raises
    ------
    InvalidInput
        As :func:`division_factor`, or if a rho lies outside [rho*, k].

    References
    ----------
    .. [1] Z. Sun et al. SpecTr: Fast Speculative Decoding via Optimal Transport. NeurIPS 2023, arXiv:2310.15141.

    Examples
    --------
    >>> from specproof import kseq
    >>> law = kseq([0.5, 0.5], [0.25, 0.75], 2)
    >>> round(float(law.acceptance), 6), law.output.round(9).tolist()
    (0.904508, [0.25, 0.75])
    """
    draft_rows, target_rows = as_pair(draft, target)
    count = one_num_drafts(num_drafts)
    factor, beta = solved(draft_rows, target_rows, count)
    if rho is not None:
        smallest, factor = factor, checked_rho(rho, factor, count)
        beta = np.where(factor == smallest, beta, _accept_once(draft_rows, target_rows, factor))
    return _law_over(draft_rows, target_rows, count, factor, beta)  # the rows are copies of what was given


def law_at(draft: Array, target: Array, num_drafts: int, rho: Array) -> SelectionLaw:
    """The law at a trusted rho, shape (...). Below rho* it is the law of the rule as written, lossless or not."""
    return _law_over(draft.copy(), target.copy(), num_drafts, rho, _accept_once(draft, target, rho))


def _law_over(draft: Array, target: Array, num_drafts: int, rho: Array, beta: Array) -> SelectionLaw:
    """The same, where one draft is accepted with probability beta: in the memory of rows that have its shape."""
    shape = (*beta.shape, draft.shape[-1])
    accepted, residual = (
        in_one_layout(law if law.shape == shape else np.broadcast_to(law, shape), np.float64) for law in (draft, target)
    )
    tries = mean_tries(beta, num_drafts)
    factor = np.broadcast_to(rho, beta.shape).reshape(-1)
    _emit(accepted.reshape(-1, shape[-1]), residual.reshape(-1, shape[-1]), factor, tries.reshape(-1))
    return SelectionLaw(accepted, residual, np.minimum(beta * tries, 1.0))


def _accept_once(draft: Array, target: Array, rho: Array) -> Array:
    """The probability that one draft is accepted, shape (...)."""
    beta: Array = np.minimum(np.minimum(draft, target / rho[..., np.newaxis]).sum(axis=-1), 1.0)
    return beta


@compiled(error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"}, nogil=True)
def _emit(draft: Array, target: Array, rho: Array, tries: Array) -> None:
    """Put what is accepted in place of the draft, and in place of the target what it still lacks, normalised."""
    for row in range(rho.size):
        lacking = 0.0
        for token in range(draft.shape[1]):
            wanted = target[row, token]
            kept = min(draft[row, token], wanted / rho[row]) * tries[row]
            left = max(wanted - kept, 0.0)
            draft[row, token], target[row, token] = kept, left
            lacking += left
        if lacking > 0.0:
            for token in range(draft.shape[1]):
                target[row, token] /= lacking


def acceptance_at(draft: Array, target: Array, num_drafts: int, rho: Array) -> Array:
    """The acceptance of :func:`law_at` alone, shape (...)."""
    return hit_probability(_accept_once(draft, target, rho), num_drafts)


def mean_tries(beta: Array, num_drafts: int) -> Array:
    r"""Expected number of drafts looked at, :math:`(1-(1-\beta)^k)/\beta`, which tends to k as beta vanishes.

    From the binary digits of k: m drafts that are looked at :math:`N` times all fail with :math:`1 - \beta N`, so that
    of 2m it is :math:`N (2 - \beta N)`, and one more adds :math:`1 - \beta N`.
    """
    tries = np.ones_like(beta)
    for digit in f"{num_drafts:b}"[1:]:
        tries = tries * (2.0 - beta * tries)
        if digit == "1":
            tries = tries + (1.0 - beta * tries)
    return tries
