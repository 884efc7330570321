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

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array, as_pair
from specproof.theory.drafts import hit_probability, one_num_drafts
from specproof.theory.verifiers.kseq.factor import checked_rho, smallest_valid
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
    smallest = smallest_valid(draft_rows, target_rows, count)
    factor = smallest if rho is None else checked_rho(rho, smallest, count)
    return law_at(draft_rows, target_rows, count, factor)


def law_at(draft: Array, target: Array, num_drafts: int, rho: Array) -> SelectionLaw:
    """The law at a trusted rho, shape (...). Below rho* it is the law of the rule as written, lossless or not."""
    size = draft.shape[-1]
    shape = (*np.broadcast_shapes(draft.shape[:-1], rho.shape), size)
    flat_draft, flat_target = (
        np.ascontiguousarray(np.broadcast_to(law, shape).reshape(-1, size)) for law in (draft, target)
    )
    accepted, residual = np.empty_like(flat_draft), np.empty_like(flat_draft)
    beta = np.empty(flat_draft.shape[0])
    _accept_once(flat_draft, flat_target, np.broadcast_to(rho, shape[:-1]).reshape(-1), accepted, beta)
    beta = np.minimum(beta, 1.0)
    tries = mean_tries(beta, num_drafts)
    _settle(accepted, flat_target, tries, residual)
    acceptance = np.minimum(beta * tries, 1.0).reshape(shape[:-1])
    return SelectionLaw(accepted.reshape(shape), residual.reshape(shape), acceptance)


@compiled(error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"}, nogil=True)
def _accept_once(draft: Array, target: Array, rho: Array, once: Array, beta: Array) -> None:
    """The probability min(p, q/rho) that one draft is a token and accepted, and its sum in each row."""
    for row in range(rho.size):
        total = 0.0
        for token in range(draft.shape[1]):
            kept = min(draft[row, token], target[row, token] / rho[row])
            once[row, token] = kept
            total += kept
        beta[row] = total


@compiled(error_model="numpy", fastmath={"reassoc", "contract", "nsz"}, nogil=True)
def _settle(accepted: Array, target: Array, tries: Array, residual: Array) -> None:
    """Multiply what one draft accepts by the mean number of tries, and normalise what the target still lacks."""
    for row in range(tries.size):
        lacking = 0.0
        for token in range(target.shape[1]):
            kept = accepted[row, token] * tries[row]
            accepted[row, token] = kept
            left = max(target[row, token] - kept, 0.0)
            residual[row, token] = left
            lacking += left
        if lacking > 0.0:
            for token in range(target.shape[1]):
                residual[row, token] /= lacking


def acceptance_at(draft: Array, target: Array, num_drafts: int, rho: Array) -> Array:
    """The acceptance of :func:`law_at` alone, shape (...)."""
    beta = np.minimum(draft, target / rho[..., np.newaxis]).sum(axis=-1)
    return hit_probability(beta, num_drafts)


def mean_tries(beta: Array, num_drafts: int) -> Array:
    r"""Expected number of drafts looked at, :math:`(1-(1-\beta)^k)/\beta`, which tends to k as beta vanishes."""
    return np.divide(hit_probability(beta, num_drafts), beta, out=np.full_like(beta, num_drafts), where=beta > 0)
