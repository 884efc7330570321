"""One draft for one position, and the i.i.d. formulas built on its acceptance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from specproof.theory.distribution import as_pair, normalise_or_zero
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import natural_number
from specproof.theory.numbers import finite_number, probability
from specproof.theory.selection import SelectionLaw

LONGEST_DRAFT = 10_000


def maximal_coupling(draft: ArrayLike, target: ArrayLike) -> SelectionLaw:
    r"""Accept x ~ p with probability min(1, q(x)/p(x)), else emit from the residual [q - p]+.

    The output law is exactly q and the acceptance is :math:`\sum_i \min(p_i, q_i) = 1 - TV(p, q)`, which no coupling
    of p and q exceeds. (Leviathan et al. 2023, Algorithm 1; Sun et al. 2023, Algorithm 1.)

    Parameters
    ----------
    draft, target : array_like, shape (..., V)

    Raises
    ------
    InvalidInput
        If either is not a distribution or the two do not match.
    """
    draft_rows, target_rows = as_pair(draft, target)
    accepted = np.minimum(draft_rows, target_rows)
    replaced = normalise_or_zero(np.maximum(target_rows - draft_rows, 0.0))
    return SelectionLaw(accepted, replaced, np.minimum(accepted.sum(axis=-1), 1.0))


def expected_tokens(acceptance: float, length: int) -> float:
    r"""Tokens per target call if every position accepts independently: :math:`\sum_{i=0}^{\gamma} \alpha^i`.

    Equals :math:`(1-\alpha^{\gamma+1})/(1-\alpha)`, without its 0/0 at :math:`\alpha = 1`. Acceptances along a real
    text are *not* independent; this is the approximation of Leviathan et al. 2023, equation (1).

    Raises
    ------
    InvalidInput
        If the acceptance is outside [0, 1] or the length is not an integer >= 0.
    """
    powers = np.arange(natural_number(length, "length") + 1)
    return float(np.sum(probability(acceptance, "acceptance") ** powers))


def speedup(acceptance: float, length: int, cost: float) -> float:
    r"""Wall-clock gain over plain decoding: expected_tokens / (:math:`\gamma c + 1`).

    ``cost`` is c, the time of one draft step over that of one target call. (Leviathan et al. 2023, Theorem 3.8.)

    Raises
    ------
    InvalidInput
        As :func:`expected_tokens`, or if the cost is negative or not finite.
    """
    price = finite_number(cost, "cost")
    if price < 0:
        raise InvalidInput(f"cost is {cost!r}: it must be at least 0, draft time over target time")
    return expected_tokens(acceptance, length) / (length * price + 1.0)


def optimal_length(acceptance: float, cost: float) -> int:
    """The draft length that maximises :func:`speedup`; 0 where drafting never pays.

    The gain rises while the next token's probability exceeds c times the gain so far, and falls ever after, so the
    search walks up and stops at the first fall. Where drafting is free, or every draft accepted at less than the
    target's cost, each further token pays and there is no maximum.

    Raises
    ------
    InvalidInput
        As :func:`speedup`, or if there is no maximum, or it lies beyond ``LONGEST_DRAFT``.
    """
    best = speedup(acceptance, 0, cost)
    if (cost == 0 and acceptance > 0) or (acceptance == 1 and cost < 1):
        raise InvalidInput(
            f"acceptance {acceptance!r} at cost {cost!r} has no optimal length, as every further token pays: "
            "give a positive cost and an acceptance below 1, or bound the length by memory"
        )
    power, tokens = 1.0, 1.0
    for length in range(1, LONGEST_DRAFT + 1):
        power *= acceptance
        tokens += power
        gain = tokens / (length * cost + 1.0)
        if gain <= best:
            return length - 1
        best = gain
    raise InvalidInput(
        f"acceptance {acceptance!r} at cost {cost!r} has its optimal length beyond {LONGEST_DRAFT}: "
        "bound the length by memory"
    )
