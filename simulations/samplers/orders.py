"""Priority orders: the sampler whose law is :meth:`specproof.theory.verifiers.priority.orders.PriorityOrders.law`."""

from __future__ import annotations

import numpy as np

from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import Selection, replace_rejected
from specproof.theory.distribution import Array
from specproof.theory.verifiers.priority.orders import PriorityOrders


def verify(coupling: PriorityOrders, drafts: np.ndarray, uniforms: Array) -> Selection:
    """Draw a priority order, take the draft that comes first in it, and keep it with its thinning probability.

    Parameters
    ----------
    coupling : PriorityOrders
        Made for the joint law that the drafts have.
    drafts : array of int64, shape (..., k)
    uniforms : array, shape (..., 3)
        Independent numbers in [0, 1): the order, the one that thins, and the one that inverts the residual.
    """
    ranks = np.argsort(coupling.orders, axis=1)
    order = invert(coupling.weights, uniforms[..., 0])
    first = ranks[order[..., np.newaxis], drafts].argmin(axis=-1)
    tokens = np.take_along_axis(drafts, first[..., np.newaxis], axis=-1)[..., 0]
    accepted = uniforms[..., 1] < coupling.thinning[tokens]
    emitted = replace_rejected(tokens, accepted, coupling.law().residual, uniforms[..., 2])
    return Selection(emitted, np.where(accepted, first, -1))
