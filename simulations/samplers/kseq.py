"""K-SEQ: the sampler whose law is :func:`specproof.theory.verifiers.kseq.law.kseq`."""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, is_torch_array, to_device

import specproof.theory.distribution as distribution
from specproof.simulations.samplers.inversion import AnyArray, gather, invert
from specproof.simulations.samplers.kseq_factor import smallest_factor
from specproof.simulations.samplers.registry import register_sampler
from specproof.simulations.samplers.selection import Selection, checked_namespace, or_target
from specproof.simulations.samplers.trials import try_in_turn
from specproof.theory.ratio import acceptance_ratio
from specproof.theory.verifiers.kseq.factor import checked_rho, smallest_valid


def verify(
    draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray, rho: AnyArray | None = None
) -> Selection:
    r"""Try the drafts in order, each accepted with probability min(1, q/(rho p)); if none is, emit from the residual.

    Lossless for rho >= rho*. (Sun et al. 2023, Algorithm 2.)

    Parameters
    ----------
    draft, target : array, shape (V,) or (..., V)
        The law the drafts were drawn from, and the law to emit. Trusted to be distributions.
    drafts : array of int64, shape (..., k)
        The drafted tokens, independent draws from ``draft``.
    uniforms : array, shape (..., k + 1)
        Independent numbers in [0, 1): one to accept each draft, and the one that inverts the residual.
    rho : array, shape () or (...), optional
        The division factor, one for all rows or one for each; default rho*.

    Raises
    ------
    InvalidInput
        If the shapes or kinds of the arrays do not go together, or a rho lies outside [rho*, k].

    References
    ----------
    .. [1] Sun et al. 2023, SpecTr: Fast Speculative Decoding via Optimal Transport, arXiv 2310.15141, Algorithm 2.

    Examples
    --------
    >>> verify(np.array([0.5, 0.5]), np.array([0.25, 0.75]), np.array([0, 1]), np.array([0.5, 0.5, 0.5]))
    Selection(tokens=array(1), accepted=array(1))
    """
    xp = checked_namespace(draft, target, drafts, uniforms)
    count = drafts.shape[-1]
    factor = _smallest_rho(draft, target, count)
    if rho is not None:
        factor = _given_rho(rho, factor, count)
    return verify_at(draft, target, drafts, uniforms, xp.asarray(factor, device=device(target)))


def verify_at(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray, rho: AnyArray) -> Selection:
    """The rule as written, at a trusted rho of shape () or (...): below rho* it need not be lossless."""
    xp = array_namespace(draft, target, drafts, uniforms)
    passed = uniforms[..., :-1] * gather(draft, drafts) < _divided(gather(target, drafts), rho)
    first = xp.argmax(xp.astype(passed, xp.int8), axis=-1, keepdims=True)
    accepted = xp.take_along_axis(passed, first, axis=-1)[..., 0]
    emitted = xp.take_along_axis(drafts, first, axis=-1)[..., 0]
    rejected = ~accepted
    # Whole rows are looked at only where all drafts failed.
    proposal, law, factor = _rows(draft, rejected, 1), _rows(target, rejected, 1), _rows(rho, rejected, 0)
    residual = residual_weights(proposal, law, drafts.shape[-1], factor)
    emitted[rejected] = invert(residual, uniforms[..., -1][rejected])
    return Selection(emitted, xp.where(accepted, first[..., 0], -1))


def simulate(
    draft: distribution.Array,
    target: distribution.Array,
    num_drafts: int,
    trials: int,
    rng: np.random.Generator,
    rho: distribution.Array,
) -> Selection:
    """Run independent trials of one pair of shape (V,), drafts included: the same rule, compiled."""
    thresholds = np.broadcast_to(acceptance_ratio(draft, _divided(target, rho)), (num_drafts, draft.size))
    return try_in_turn(draft, thresholds, residual_weights(draft, target, num_drafts, rho), trials, rng)


def _smallest_rho(draft: AnyArray, target: AnyArray, num_drafts: int) -> AnyArray:
    """rho* of rows of any array library: tensors stay where they are, and NumPy's rows are read by a compiled loop."""
    if is_torch_array(target):
        return smallest_factor(draft, target, num_drafts)
    proposal, law = (np.asarray(rows, dtype=np.float64) for rows in (draft, target))
    shape = np.broadcast_shapes(proposal.shape, law.shape)
    return smallest_valid(np.broadcast_to(proposal, shape), np.broadcast_to(law, shape), num_drafts)


def _given_rho(rho: AnyArray, smallest: AnyArray, num_drafts: int) -> AnyArray:
    """Division factors that a caller gives, once they are checked: one number for each row, whatever V is."""
    given, least = (to_device(part, "cpu") if is_array_api_obj(part) else part for part in (rho, smallest))
    return checked_rho(given, np.asarray(least), num_drafts)


def residual_weights(draft: AnyArray, target: AnyArray, num_drafts: int, rho: AnyArray) -> AnyArray:
    r"""What k tries leave of the target, unnormalised, shape (..., V), or the target where that is nothing.

    .. math:: q - \min(p, q/\rho)\,(1-(1-\beta)^k)/\beta, \quad \beta = \sum_i \min(p_i, q_i/\rho)
    """
    xp = array_namespace(draft, target)
    once = xp.minimum(draft, _divided(target, rho))
    missed = 1.0 - xp.clip(xp.sum(once, axis=-1, keepdims=True), max=1.0)
    # (1 - (1-b)^k)/b as the sum 1 + (1-b) + ... + (1-b)^(k-1): nothing cancels, and b = 0 gives k.
    tries = xp.zeros_like(missed)
    for _ in range(num_drafts):
        tries = tries * missed + 1.0
    return or_target(xp.clip(target - once * tries, min=0.0), target)


def _rows(values: AnyArray, chosen: AnyArray, axes: int) -> AnyArray:
    """The chosen rows of an array with ``axes`` axes of its own, or the one row that all share."""
    if values.ndim == axes:
        return values
    shape = (*chosen.shape, *values.shape[values.ndim - axes :])
    return array_namespace(values).broadcast_to(values, shape)[chosen]


def _divided(target: AnyArray, rho: AnyArray) -> AnyArray:
    return target / array_namespace(rho).expand_dims(rho, axis=-1)


register_sampler("kseq", verify)
