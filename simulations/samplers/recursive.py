"""Recursive rejection: the sampler whose law is :func:`specproof.theory.verifiers.recursive.recursive_rejection`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from array_api_compat import array_namespace

import specproof.theory.distribution as distribution
from specproof.simulations.samplers.inversion import AnyArray, gather
from specproof.simulations.samplers.registry import register_sampler
from specproof.simulations.samplers.selection import Selection, checked_namespace, or_target, replace_rejected
from specproof.simulations.samplers.trials import try_in_turn
from specproof.theory.ratio import acceptance_ratio


def verify(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
    r"""Try the drafts in turn, each against what those before it have left of the target.

    Draft m is accepted with probability min(1, q^m/p), where q^1 = q and :math:`q^{m+1} \propto [q^m - p]_+`; if all k
    fail, the token comes from q^{k+1}. One draft is :func:`specproof.simulations.samplers.single.verify`.
    (Miao et al. 2023; Yin et al. 2024, Algorithm 3.)

    Parameters
    ----------
    draft, target : array, shape (V,) or (..., V)
        The law the drafts were drawn from, and the law to emit. Trusted to be distributions.
    drafts : array of int64, shape (..., k)
        The drafted tokens, independent draws from ``draft``.
    uniforms : array, shape (..., k + 1)
        Independent numbers in [0, 1): one to accept each draft, and the one that inverts q^{k+1}.

    Raises
    ------
    InvalidInput
        If the shapes or kinds of the arrays do not go together.

    Examples
    --------
    >>> verify(np.array([0.5, 0.5]), np.array([0.25, 0.75]), np.array([0, 1]), np.array([0.75, 0.75, 0.5]))
    Selection(tokens=array(1), accepted=array(1))
    """
    xp = checked_namespace(draft, target, drafts, uniforms)
    tokens, accepted = drafts[..., 0], xp.full(drafts.shape[:-1], -1, dtype=xp.int64, device=drafts.device)
    *offers, (left, _) = residual_steps(draft, target, drafts.shape[-1])
    for index, (offered, proposed) in enumerate(offers):
        token = drafts[..., index : index + 1]
        passed = (uniforms[..., index : index + 1] * gather(proposed, token) < gather(offered, token))[..., 0]
        first = passed & (accepted < 0)
        tokens, accepted = xp.where(first, token[..., 0], tokens), xp.where(first, index, accepted)
    emitted = replace_rejected(tokens, accepted >= 0, or_target(left, target), uniforms[..., -1])
    return Selection(emitted, accepted)


def simulate(
    draft: distribution.Array,
    target: distribution.Array,
    num_drafts: int,
    trials: int,
    rng: np.random.Generator,
) -> Selection:
    """Run independent trials of one pair of shape (V,), drafts included: the same rule, compiled."""
    *offers, (left, _) = residual_steps(draft, target, num_drafts)
    thresholds = np.stack([acceptance_ratio(proposed, offered) for offered, proposed in offers])
    return try_in_turn(draft, thresholds, or_target(left, target), trials, rng)


def residual_steps(draft: AnyArray, target: AnyArray, num_drafts: int) -> Iterator[tuple[AnyArray, AnyArray]]:
    """Yield u^m and |u^m| p for m = 1..k+1, where u^1 = q and u^{m+1} = [u^m - |u^m| p]+: q^m/p without a quotient."""
    xp = array_namespace(draft, target)
    left, proposed = target, draft
    for _ in range(num_drafts):
        yield left, proposed
        left = xp.clip(left - proposed, min=0.0)
        proposed = xp.sum(left, axis=-1, keepdims=True) * draft
    yield left, proposed


register_sampler("recursive", verify)
