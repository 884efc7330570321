r"""Gumbel-max list sampling: drafts and target draw by the same exponential races, K of them.

With :math:`E^m_i` independent and exponential, draft m is :math:`\arg\min_i E^m_i / p_i` and the target's token
:math:`\arg\min_i \min_m E^m_i / q_i` over the drafts m that agree with all that was emitted: it has the law q, and does
not depend on the draft beyond the drafts' tokens [1]_. With one draft it is the coupling of Daliri et al. [2]_.

The law given the drafts is exact. Let the target's token y win in race k at time t, which has density
:math:`q_y e^{-Kt}`. Then :math:`E^k_y = q_y t`, every other time is :math:`q_i t` and a fresh exponential, and *given t
the drafts are independent*: in the draft's clock token i starts at :math:`t\,q_i/p_i` with rate :math:`p_i`. What each
draft comes out as is a sum of exponentials in t, by pieces between the starts, and so is the product over the races,
whose integral is a sum of fractions.

References
----------
.. [1] Rowan, Phan, Khisti 2025, List-Level Distribution Coupling, NeurIPS, arXiv 2506.05632, Algorithm 1.
.. [2] Daliri, Musco, Suresh 2025, Coupling without Communication and Drafter-Invariant Speculative Decoding,
   arXiv 2408.07978.
"""

from __future__ import annotations

import math
from functools import lru_cache, reduce
from itertools import pairwise

import numpy as np

from specproof.theory.distribution import Array
from specproof.theory.trees.draft_trees import Node

_Sum = tuple[Array, Array]
"""Coefficients and rates: the sum of c exp(-r t)."""


def races(draft: Array, target: Array, drafts: Node) -> tuple[Array, Array]:
    """The step: the law of the target's token given the drafts, see the module; it goes on if it was drafted.

    Examples
    --------
    >>> goes_on, ends = races(np.array([0.5, 0.5]), np.array([0.25, 0.75]), (0,))
    >>> goes_on.round(6).tolist(), ends.round(6).tolist()
    ([0.5, 0.0], [0.0, 0.5])
    """
    joint = np.zeros_like(target)
    for token in np.flatnonzero(target):
        for winner in range(len(drafts)):
            parts = [_race(tuple(draft), tuple(target), x, token if m == winner else -1) for m, x in enumerate(drafts)]
            coefficients, rates = reduce(_times, parts)
            joint[token] += target[token] * float((coefficients / (len(drafts) + rates)).sum())
    law = joint / np.prod(draft[list(drafts)])
    drafted = np.isin(np.arange(target.size), drafts)
    return np.where(drafted, law, 0.0), np.where(drafted, 0.0, law)


@lru_cache(maxsize=4096)
def _race(draft: tuple[float, ...], target: tuple[float, ...], token: int, won: int) -> _Sum:
    """The chance that a draft is a token, as a sum of exponentials in the time t of the target's draw.

    ``won`` is the token by which this race gave the target its own, or -1 where another race did.
    """
    starts = {i: q / p for i, (p, q) in enumerate(zip(draft, target, strict=True)) if p > 0}
    arrival = starts.pop(won, math.inf)  # the winner has arrived in the draft's clock too, at this time
    if token == won:
        rate = sum(draft[i] * (arrival - start) for i, start in starts.items() if start < arrival)
        return np.ones(1), np.array([rate])
    bounds = [*sorted({start for start in starts.values() if starts[token] <= start < arrival}), arrival]
    coefficients, rates = [0.0], [0.0]
    for low, high in pairwise(bounds):
        running = [i for i, start in starts.items() if start <= low]
        speed, lag = sum(draft[i] for i in running), sum(target[i] for i in running)
        coefficients.append(draft[token] / speed)
        rates.append(max(speed * low - lag, 0.0))
        if high < math.inf:
            coefficients.append(-draft[token] / speed)
            rates.append(max(speed * high - lag, 0.0))
    return np.array(coefficients), np.array(rates)


def _times(one: _Sum, other: _Sum) -> _Sum:
    return np.outer(one[0], other[0]).ravel(), np.add.outer(one[1], other[1]).ravel()
