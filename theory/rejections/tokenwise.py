"""Rejections when every position is drafted and tested by itself (Yin et al. 2024, Theorem 1)."""

from __future__ import annotations

import numpy as np

from specproof.theory.chain import Chain, MarkovChain, check_same_size
from specproof.theory.distribution import Array
from specproof.theory.integers import refuse_large_array
from specproof.theory.rejections.walk import EMPTY, advance, walk


def expected_rejections(draft: Chain, target: Chain) -> float:
    r"""Expected number of rejected positions when every position is drafted and tested.

    .. math:: E[N_{rej}] = \sum_{n=1}^T E_{x_{<n} \sim q} \, TV(p_n(\cdot|x_{<n}), q_n(\cdot|x_{<n}))

    Prefixes are weighted by the *target*, because the output follows it. For Markov chains this is a recursion on the
    marginal of x_{n-1}, O(T V^2); for tabular models a sum over all histories. ([1]_, Theorem 1.)

    Parameters
    ----------
    draft, target : MarkovChain or TabularModel
        Two models of one kind, vocabulary and horizon.

    Raises
    ------
    InvalidInput
        If the two models differ in kind, vocabulary or horizon.

    References
    ----------
    .. [1] M. Yin et al. A Theoretical Perspective for Speculative Decoding Algorithm. NeurIPS 2024,
       arXiv:2411.00841.

    Examples
    --------
    >>> from specproof import MarkovChain, expected_rejections
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 4) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> expected_rejections(draft, target)
    0.75
    """
    return float(rejection_rates(draft, target).sum())


def rejection_rates(draft: Chain, target: Chain) -> Array:
    r"""Probability that position n is rejected, :math:`E_{x_{<n} \sim q} TV(p_n, q_n)`, for n = 1..T, shape (T,).

    Raises
    ------
    InvalidInput
        As :func:`expected_rejections`.

    Examples
    --------
    >>> from specproof import MarkovChain, rejection_rates
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 4) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> rejection_rates(draft, target).tolist()
    [0.0, 0.25, 0.25, 0.25]
    """
    check_same_size(draft, target)
    refuse_large_array("horizon", target.horizon, (target.horizon,))
    rates = np.empty(target.horizon)
    prefixes = EMPTY
    for index, (law, distance) in enumerate(walk(draft, target, _distance)):
        rates[index] = np.sum(prefixes * distance)
        prefixes = advance(target, prefixes, law)
    return rates


def rejection_law(draft: MarkovChain, target: MarkovChain) -> Array:
    r"""Exact law of the number of rejections on Markov chains, P(N = c) for c = 0..T, shape (T+1,).

    Accepting and emitting y has probability min(p, q)(y), rejecting and emitting it [q - p]_+(y), given the state; the
    joint law of (x_n, rejections so far) follows from that of x_{n-1} in O(n V^2).

    Raises
    ------
    InvalidInput
        As :func:`expected_rejections`, or if the two are not Markov chains.

    Examples
    --------
    >>> from specproof import MarkovChain, rejection_law
    >>> draft, target = (MarkovChain(row, [row] * 2, 2) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> rejection_law(draft, target).tolist()
    [0.5625, 0.375, 0.0625]
    """
    check_same_size(draft, target, MarkovChain)
    refuse_large_array("horizon", target.horizon, (target.num_states, target.horizon + 1))
    joint = np.zeros((target.num_states, target.horizon + 1))
    joint[:, 0] = np.minimum(draft.initial, target.initial)
    joint[:, 1] = np.maximum(target.initial - draft.initial, 0.0)
    for position in range(2, target.horizon + 1):
        proposal, law = draft.transition(position), target.transition(position)
        kept = np.minimum(proposal, law).T @ joint
        replaced = np.maximum(law - proposal, 0.0).T @ joint
        kept[:, 1:] += replaced[:, :-1]
        joint = kept
    counts: Array = np.minimum(joint.sum(axis=0), 1.0)  # which rounding may pass by a few units in the last place
    return counts


def _distance(draft: Array, target: Array) -> Array:
    distance: Array = 0.5 * np.abs(draft - target).sum(axis=-1)
    return distance
