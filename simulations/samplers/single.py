"""One draft, accepted or replaced: the sampler of :func:`specproof.theory.verifiers.single.maximal_coupling`."""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace

import specproof.theory.distribution as distribution
from specproof.simulations.samplers.inversion import AnyArray, gather
from specproof.simulations.samplers.registry import register_sampler
from specproof.simulations.samplers.selection import Selection, checked_namespace, or_target, redraw, rows_of
from specproof.simulations.samplers.trials import try_in_turn
from specproof.theory.ratio import acceptance_ratio


def verify(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
    r"""Accept the drafted token x with probability min(1, q(x)/p(x)), else emit one from the residual [q - p]+.

    The uniforms come in from outside, so that a test can force every branch and NumPy and torch see the same ones.
    (Leviathan et al. 2023, Algorithm 1; Sun et al. 2023, Algorithm 1; Yin et al. 2024, Algorithm 1.)

    Parameters
    ----------
    draft, target : array, shape (V,) or (..., V)
        The law the drafts were drawn from, and the law to emit. Trusted to be distributions.
    drafts : array of int64, shape (..., 1)
        The drafted tokens.
    uniforms : array, shape (..., 2)
        Independent numbers in [0, 1): the one to accept with and the one that inverts the residual.

    Raises
    ------
    InvalidInput
        If the shapes or kinds of the arrays do not go together.

    Examples
    --------
    >>> verify(np.array([0.5, 0.5]), np.array([0.25, 0.75]), np.array([0]), np.array([0.75, 0.5]))
    Selection(tokens=array(1), accepted=array(-1))
    """
    xp = checked_namespace(draft, target, drafts, uniforms)
    # u < q/p without the division: p > 0 for whatever was drafted, and u = 0 must not accept a token with q = 0.
    accepted = (uniforms[..., :1] * gather(draft, drafts) < gather(target, drafts))[..., 0]
    rejected = ~accepted  # the residual of other trials is not needed
    residual = residual_weights(rows_of(draft, rejected), rows_of(target, rejected))
    emitted = redraw(drafts[..., 0], rejected, residual, uniforms[..., 1])
    return Selection(emitted, xp.where(accepted, 0, -1))


def simulate(draft: distribution.Array, target: distribution.Array, trials: int, rng: np.random.Generator) -> Selection:
    """Run independent trials of one pair of shape (V,), drafts included: the same rule, compiled."""
    return try_in_turn(draft, acceptance_ratio(draft, target)[np.newaxis], residual_weights(draft, target), trials, rng)


def residual_weights(draft: AnyArray, target: AnyArray) -> AnyArray:
    """[q - p]+, unnormalised, shape (..., V); q where that is zero throughout."""
    return or_target(array_namespace(draft, target).clip(target - draft, min=0.0), target)


def verify_first(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
    """Verify the first of k drafts alone, with the first uniform and the last: the sampler of the verifier ``single``.

    Parameters and errors are those of :func:`verify`, for drafts of shape (..., k) and uniforms of shape (..., k + 1).
    """
    xp = checked_namespace(draft, target, drafts, uniforms)
    used = xp.concat([uniforms[..., :1], uniforms[..., -1:]], axis=-1)
    return verify(draft, target, drafts[..., :1], used)


register_sampler("single", verify_first)
