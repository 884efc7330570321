r"""Proofs of the optimal acceptance for drafts from different laws and for drafts without replacement.

Both bounds are rational numbers, found without rounding. With the notation of the module
:mod:`specproof.theory.verifiers.priority.orders`:

Lower bound: a priority order can be followed whatever the drafts' law, so that a mixture of orders with rational
weights, kept with probability min(1, q/v), is a coupling by construction. It accepts :math:`\sum_i \min(v_i, q_i)`.

Upper bound: for *any* set A of tokens, the output can be among the drafts only if it lies in A or some draft lies
outside A, so :math:`\alpha \le q(A) + f(\bar A)`.

If every order of the mixture begins with the tokens outside A, and v <= q there and v >= q on A, both are one number.
Where the best mixture has v = q at some tokens, weights in float64 miss it by rounding, and 1e-16 is left as a rule: in
a few in a hundred random instances of spiky laws, and half of those of flat laws, whose optimum tends to be 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.errors import InvalidInput
from specproof.theory.rationals import as_fractions, as_integers
from specproof.theory.transport.bracket import Bracket
from specproof.theory.transport.draft_sets import DraftSets, as_draft_laws, one_distribution
from specproof.theory.verifiers.priority.orders import PriorityOrders, drafted_sets, independent_drafts, optimal_orders

MOST_TOKENS = 300
"""The largest vocabulary that is certified: the work grows with its third power, and takes up to a minute here."""

MASS_UNIT = 2**256
"""Probabilities of sets of drafts are rounded down to multiples of 1/MASS_UNIT, which can only part the bounds."""

_First = Callable[[Sequence[int]], list[int]]
"""``first(order)``: P(of the drafted tokens, i comes first in the order) for every i, in units of 1/unit."""


def certify_different(drafts: ArrayLike, target: ArrayLike) -> Bracket:
    """Prove the optimal acceptance with one draft from each of k laws.

    Every float64 is a rational number; the laws are taken as those rationals, each divided by its exact sum.

    Parameters
    ----------
    drafts : array_like, shape (k, V)
        Law of each draft; they are drawn independently.
    target : array_like, shape (V,)

    Returns
    -------
    Bracket
        With ``is_proof`` true unless the best rates meet the target's probabilities, where the gap is some 1e-16.

    Raises
    ------
    InvalidInput
        If a row is not a distribution, the shapes do not match, or V > ``MOST_TOKENS``.

    Examples
    --------
    >>> from specproof import certify_different
    >>> certify_different([[0.5, 0.5], [0.25, 0.75]], [0.125, 0.875])
    Bracket(lower=1.0, upper=1.0, gap=0.0, dual_set=[True, True])
    """
    rows = as_draft_laws(drafts)
    _refuse_large(rows.shape[1], "optimal_acceptance_different")
    coupling = optimal_orders(independent_drafts(rows), target)
    weights = [as_integers(row) for row in rows]

    def first(order: Sequence[int]) -> list[int]:
        """Drop the tokens one by one: the chance that all drafts are among those left falls by what is wanted."""
        left = [sum(row) for row in weights]
        among, found = prod(left), [0] * len(order)
        for token in order:
            left = [mass - row[token] for mass, row in zip(left, weights, strict=True)]
            among, found[token] = prod(left), among - prod(left)
        return found

    return _bracket(coupling, first, prod(map(sum, weights)))


def certify_without_replacement(draft: ArrayLike, target: ArrayLike, num_drafts: int) -> Bracket:
    """Prove the optimal acceptance with k drafts drawn without replacement.

    The probabilities of all sets of k tokens are computed as rational numbers and then rounded down to 256 bits. So the
    gap is hardly ever 0: it is below 1e-70, or some 1e-16 where the best rates meet the target's probabilities. The
    sets are V^k/k!, and 30,000 of them take seconds.

    Parameters
    ----------
    draft, target : array_like, shape (V,)
    num_drafts : int
        k >= 1, at most the number of tokens with p > 0.

    Raises
    ------
    InvalidInput
        If the arguments are not one pair of distributions, k is not an integer >= 1 or exceeds the number of tokens
        that can be drafted, V > ``MOST_TOKENS``, or the sets are more than :class:`DraftSets` takes.

    Examples
    --------
    >>> from specproof import certify_without_replacement
    >>> proof = certify_without_replacement([0.5, 0.25, 0.25], [0.125, 0.125, 0.75], 2)
    >>> round(float(proof.lower), 9), float(proof.gap) < 1e-15
    (0.833333333, True)
    """
    row = one_distribution(draft, "draft")
    _refuse_large(row.size, "optimal_acceptance_without_replacement")
    drafts = DraftSets.without_replacement(draft, num_drafts, exact=True)
    coupling = optimal_orders(drafted_sets(drafts), target)
    masses = [int(mass * MASS_UNIT) for mass in drafts.masses]

    def first(order: Sequence[int]) -> list[int]:
        rank = {token: place for place, token in enumerate(order)}
        found = [0] * len(order)
        for drawn, mass in zip(drafts.sets, masses, strict=True):
            found[min(drawn, key=rank.__getitem__)] += mass
        return found

    return _bracket(coupling, first, MASS_UNIT)


def _refuse_large(vocabulary: int, alternative: str) -> None:
    if vocabulary > MOST_TOKENS:
        raise InvalidInput(
            f"there are {vocabulary:,} tokens, and proofs by priority orders stop at {MOST_TOKENS}: "
            f"use {alternative}, which proves nothing but takes any number"
        )


def _bracket(coupling: PriorityOrders, first: _First, unit: int) -> Bracket:
    """Both bounds of a coupling, with everything but its orders, weights and cut computed anew."""
    weights, law = as_integers(coupling.weights), as_fractions(coupling.target)
    mixture = [0] * len(law)
    for weight, order in zip(weights, coupling.orders.tolist(), strict=True):
        mixture = [mass + weight * more for mass, more in zip(mixture, first(order), strict=True)]
    achieved = sum((min(Fraction(mass, sum(weights) * unit), q) for mass, q in zip(mixture, law, strict=True)))
    inside = np.flatnonzero(coupling.cut).tolist()
    found = first(np.flatnonzero(~coupling.cut).tolist() + inside)
    escaping = Fraction(unit - sum(found[token] for token in inside), unit)
    return Bracket(Fraction(achieved), sum((law[token] for token in inside), escaping), coupling.cut)
