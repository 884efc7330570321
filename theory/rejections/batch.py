"""Rejections with batches of drafts (Yin et al. 2024, Theorem 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from specproof.theory.chain import Chain, check_same_size
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.rejections.walk import EMPTY, advance, walk
from specproof.theory.verifiers.recursive import residual_limit, residual_weights

Remainder = Callable[[Array, Array], Array]
"""Such a function says what a whole batch leaves of the target, from rows of p and q: a measure of tokens a row."""


def expected_rejections_batch(draft: Chain, target: Chain, num_drafts: int) -> float:
    r"""Expected number of rejected positions when M fresh drafts are tried after each rejection.

    At the start and after a rejection M i.i.d. drafts are tried in turn by recursive rejection; the first accepted one
    is followed alone until its next rejection. A position counts as rejected only if all its drafts fail. With
    :math:`\Pi_n = \prod_{m \le M} TV(q_n^m, p_n)` and f the measure of prefixes whose last position was rejected,

    .. math:: E[N] = \sum_n E_{x_{<n} \sim q} TV(p_n, q_n) - \sum_n E_{x_{<n} \sim f} [TV(p_n, q_n) - \Pi_n],

    .. math:: f(x_{1:n}) = f(x_{<n})\,\Pi_n\,q_n^{M+1}(x_n) + (q(x_{<n}) - f(x_{<n}))\,[q_n - p_n]_+(x_n),
              \quad f(\emptyset) = 1.

    O(T V^2 M) on Markov chains, where f is a measure of the last state; M = 1 is Theorem 1.
    ([1]_, Theorem 3.)

    Parameters
    ----------
    draft, target : MarkovChain or TabularModel
    num_drafts : int
        M >= 1.

    Raises
    ------
    InvalidInput
        If the two models differ in kind, vocabulary or horizon, or M is not an integer >= 1.

    References
    ----------
    .. [1] M. Yin et al. A Theoretical Perspective for Speculative Decoding Algorithm. NeurIPS 2024,
       arXiv:2411.00841.

    Examples
    --------
    >>> from specproof import MarkovChain, expected_rejections_batch
    >>> draft, target = (MarkovChain(row, [row] * 2, 4) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> [round(expected_rejections_batch(draft, target, count), 6) for count in (1, 2)]
    [1.0, 0.80249]
    """
    count = one_num_drafts(num_drafts)
    return expected_rejections_leaving(draft, target, lambda p, q: residual_weights(p, q, count))


def batch_limit(draft: Chain, target: Chain) -> float:
    r"""The limit of :func:`expected_rejections_batch` as M grows, computed from the limits of its parts.

    :math:`\Pi_n \to q_n(p_n = 0)` and :math:`\Pi_n q_n^{M+1} \to q_n 1\{p_n = 0\}`. It is not 0 in general: only the
    first position after a rejection profits from a batch. It is 0 exactly if :math:`p_1 > 0` wherever :math:`q_1 > 0`
    and :math:`p_n = q_n` for n >= 2 after every prefix that the target can emit. For then and only then is position 1
    accepted in the limit, and what follows it is never rejected.

    Raises
    ------
    InvalidInput
        If the two models differ in kind, vocabulary or horizon.

    Examples
    --------
    >>> from specproof import MarkovChain, batch_limit
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 3) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> batch_limit(draft, target)
    0.4375
    """
    return expected_rejections_leaving(draft, target, residual_limit)


def expected_rejections_leaving(draft: Chain, target: Chain, left: Remainder) -> float:
    r"""Theorem 3's recursion on f for any rule of a fresh batch that leaves ``left(p, q)`` of the target.

    Its sum is the rule's :math:`\Pi_n`, and it is emitted when all drafts fail.

    Raises
    ------
    InvalidInput
        If the two models differ in kind, vocabulary or horizon.
    """
    check_same_size(draft, target)

    def step(proposal: Array, law: Array) -> _Step:
        single, batch = np.maximum(law - proposal, 0.0), left(proposal, law)
        return _Step(single, batch, single.sum(axis=-1), batch.sum(axis=-1))

    total = 0.0
    prefixes = rejected = EMPTY
    for law, here in walk(draft, target, step):
        followed = prefixes - rejected
        total += float(np.sum(followed * here.single_rate + rejected * here.batch_rate))
        rejected = advance(target, rejected, here.batch) + advance(target, followed, here.single)
        prefixes = advance(target, prefixes, law)
    return total


class _Step(NamedTuple):
    """Rejections at one position by context, as measures of the tokens in their place, shape (contexts, V)."""

    single: Array
    """This is [q - p]_+, for a draft that was followed alone."""
    batch: Array
    """This is what a whole batch leaves of the target."""
    single_rate: Array
    batch_rate: Array
