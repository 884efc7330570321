"""Priority coupling: the sampler whose law is :meth:`specproof.theory.verifiers.priority.PriorityCoupling.law`."""

from __future__ import annotations

import numpy as np
from array_api_compat import device, to_device

from specproof.simulations.samplers.inversion import AnyArray
from specproof.simulations.samplers.registry import register_sampler
from specproof.simulations.samplers.selection import Selection, checked_namespace
from specproof.theory.verifiers.priority import PriorityCoupling


def verify(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
    """Keep the draft of the highest priority, or emit from the residual: the optimal rule.

    The laws are checked and the tiling is cut anew in each call, in NumPy; tensors come back to their own device.

    Parameters
    ----------
    draft, target : array, shape (V,) or (..., V)
        The law the drafts were drawn from, and the law to emit.
    drafts : array of int64, shape (..., k)
        The drafted tokens, independent draws from ``draft``.
    uniforms : array, shape (..., k + 1)
        Independent numbers in [0, 1): a priority for each draft, and the thinning coin, which also inverts the
        residual.

    Raises
    ------
    InvalidInput
        If the shapes or kinds of the arrays do not go together, the laws are not distributions, or a draft is outside
        the vocabulary or has draft probability 0.
    """
    xp = checked_namespace(draft, target, drafts, uniforms)
    rows, law, tokens, dice = (np.asarray(to_device(array, "cpu")) for array in (draft, target, drafts, uniforms))
    chosen = PriorityCoupling(rows, law, tokens.shape[-1]).choose(tokens, dice)
    return Selection(*(xp.asarray(part, device=device(drafts)) for part in chosen))


register_sampler("priority", verify)
