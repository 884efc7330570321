"""Tokens a call and the gain in time, if every position accepts independently with one probability."""

from __future__ import annotations

import math

from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import natural_number
from specproof.theory.numbers import finite_number, probability

LONGEST_DRAFT = 10_000
"""The search for the best length stops here."""


def expected_tokens(acceptance: float, length: int) -> float:
    r"""Tokens per target call if every position accepts independently: :math:`\sum_{i=0}^{\gamma} \alpha^i`.

    Equals :math:`(1-\alpha^{\gamma+1})/(1-\alpha)`, without its 0/0 at :math:`\alpha = 1`. Acceptances along a real
    text are *not* independent; this is the approximation of [1]_, equation (1).

    Raises
    ------
    InvalidInput
        If the acceptance is outside [0, 1] or the length is not an integer >= 0.

    References
    ----------
    .. [1] Y. Leviathan, M. Kalman, Y. Matias. Fast Inference from Transformers via Speculative Decoding. ICML
       2023, arXiv:2211.17192.

    Examples
    --------
    >>> from specproof import expected_tokens
    >>> expected_tokens(0.5, 2), expected_tokens(1.0, 4)
    (1.75, 5.0)
    """
    positions = finite_number(natural_number(length, "length") + 1, "length")
    chance = probability(acceptance, "acceptance")
    if chance in (0.0, 1.0):
        return 1.0 if chance == 0.0 else positions
    return -math.expm1(positions * math.log(chance)) / (1.0 - chance)


def speedup(acceptance: float, length: int, cost: float) -> float:
    r"""Wall-clock gain over plain decoding: expected_tokens / (:math:`\gamma c + 1`).

    ``cost`` is c, the time of one draft step over that of one target call. ([1]_, Theorem 3.8.)

    Raises
    ------
    InvalidInput
        As :func:`expected_tokens`, or if the cost is negative or not finite.

    References
    ----------
    .. [1] Y. Leviathan, M. Kalman, Y. Matias. Fast Inference from Transformers via Speculative Decoding. ICML
       2023, arXiv:2211.17192.

    Examples
    --------
    >>> from specproof import speedup
    >>> round(speedup(0.5, 2, cost=0.25), 4)
    1.1667
    """
    price = finite_number(cost, "cost")
    if price < 0:
        raise InvalidInput(f"cost is {shown(cost)}: it must be at least 0, draft time over target time")
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

    Examples
    --------
    >>> from specproof import optimal_length
    >>> optimal_length(0.8, 0.05), optimal_length(0.2, 0.5)
    (8, 0)
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
