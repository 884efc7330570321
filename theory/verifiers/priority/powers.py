"""Powers, and differences of them that lose no digit."""

from __future__ import annotations

from specproof.theory.compiled import compiled


@compiled(error_model="numpy")
def power_quotient(high: float, low: float, exponent: int) -> float:
    r"""The quotient (a^k - b^k)/(a - b) = :math:`\sum_{j<k} a^{k-1-j} b^j` for a, b >= 0; 0 for k = 0.

    A sum of positive terms, and so good to a few units in the last place however close a and b are: the difference of
    two powers is (a - b) times it, where a - b is a length that is known better than either end. By doubling, in
    O(log k): with S_n the sum and powers a^n, b^n, :math:`S_{2n} = S_n (a^n + b^n)` and :math:`S_{n+1} = a S_n + b^n`.

    Examples
    --------
    >>> power_quotient(2.0, 1.0, 3)  # (8 - 1)/(2 - 1)
    7.0
    """
    if exponent == 0:
        return 0.0
    bit = 1
    while 2 * bit <= exponent:
        bit *= 2
    total, high_power, low_power = 1.0, high, low
    bit //= 2
    while bit > 0:
        total *= high_power + low_power
        high_power *= high_power
        low_power *= low_power
        if exponent & bit:
            total = high * total + low_power
            high_power *= high
            low_power *= low
        bit //= 2
    return total


@compiled(error_model="numpy")
def power(base: float, exponent: int) -> float:
    """The power a^n for n >= 0, good to n units in the last place, in O(log n).

    Examples
    --------
    >>> power(3.0, 5)
    243.0
    """
    result, square, left = 1.0, base, exponent
    while left > 0:
        if left & 1:
            result *= square
        square *= square
        left >>= 1
    return result
