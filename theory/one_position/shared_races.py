r"""Gumbel-max list sampling at one position: drafts and target draw by the same exponential races, k of them.

The target's token y comes at a time t of law Exp(k), independent of y, in a race that is any of the k
(:mod:`specproof.theory.trees.rules.races`). In the draft's clock token i then starts at :math:`t\,r_i`,
:math:`r_i = q_i / p_i`, with rate :math:`p_i`. Sort the tokens that can be drafted by r, and let
:math:`\ell_j = P_j r_j - Q_j` with P and Q the masses up to token j; it rises by :math:`P_j (r_{j+1} - r_j)`. Then y is
drafted by the race that gave it with probability :math:`e^{-t \ell_y}`, and by each other with probability
:math:`p_y B_y(t)`, :math:`B_y(t) = \sum_{j \ge y} (e^{-t\ell_j} - e^{-t\ell_{j+1}}) / P_j`, so that

.. math:: \alpha = \sum_y q_y \int_0^\infty k e^{-kt}
          \left[1 - (1 - e^{-t\ell_y}) (1 - p_y B_y(t))^{k-1}\right] dt.

The integral is taken over :math:`\log t` by the trapezoidal rule.
"""

from __future__ import annotations

import numpy as np

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.one_position.draftable import of_draftable, refuse_dear
from specproof.theory.one_position.registry import register_tree_rule
from specproof.theory.policies import shared_noise_acceptance

MOST_TOKENS = 2**11
"""The law of two races or more is computed of at most so many tokens that can be drafted."""

_FROM, _TO, _STEP = -38.0, 3.8, 0.25
"""Nodes of the integral over log(kt): before the first and after the last is less than 1e-16 of it. As the integrand is
analytic up to an imaginary part of pi/2, the error of the rule falls like exp(-pi^2 / step), here 1e-17."""


def list_acceptance(draft: Array, target: Array, num_drafts: int) -> Array:
    """The probability that the target's token is among the drafts, shape (...); see the module.

    Raises
    ------
    InvalidInput
        If there are two drafts or more, and more than ``MOST_TOKENS`` tokens can be drafted.

    Examples
    --------
    >>> round(float(list_acceptance(np.array([0.75, 0.25]), np.array([0.5, 0.5]), 1)), 9)
    0.75
    """
    if num_drafts == 1:
        return shared_noise_acceptance(draft, target)
    races = float(num_drafts)
    waited = np.exp(np.arange(_FROM, _TO, _STEP))  # k t
    times, weights = waited / races, _STEP * waited * np.exp(-waited)

    def of_row(p: Array, q: Array, _: int) -> float:
        refuse_dear(p.size, num_drafts, MOST_TOKENS)
        ratio = q / p
        order = np.argsort(ratio)
        return min(_matched(p[order], q[order], ratio[order], times, weights, races), 1.0)

    return of_draftable(of_row, draft, target, num_drafts)


@compiled(error_model="numpy", nogil=True)
def _matched(p: Array, q: Array, ratio: Array, times: Array, weights: Array, races: float) -> float:
    """The sum over the tokens and the nodes, from tokens in the order of their ratios."""
    size = p.size
    heads, lags = np.empty(size), np.empty(size)
    head, lag = 0.0, 0.0
    for token in range(size):
        if token > 0:
            lag += head * (ratio[token] - ratio[token - 1])
        head += p[token]
        heads[token], lags[token] = head, lag
    total = 0.0
    for node in range(times.size):
        other, later, found = 0.0, 0.0, 0.0
        for token in range(size - 1, -1, -1):
            own = np.exp(-times[node] * lags[token])
            other += (own - later) / heads[token]
            later = own
            found += q[token] * (1.0 - (1.0 - own) * (1.0 - min(p[token] * other, 1.0)) ** (races - 1.0))
        total += weights[node] * found
    return total


register_tree_rule("gumbel-list", "iid", list_acceptance, "drafts and target share their noise")
