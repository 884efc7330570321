r"""Where a token's stretch of free space has mass q exactly: the two equations that the tiling solves.

Both are solved by a series where that has every digit, as for nearly all tokens of a large vocabulary, and else by
Newton's iteration from a start that its convexity makes safe; arguments are trusted.
"""

from __future__ import annotations

import math

from specproof.theory.compiled import compiled
from specproof.theory.verifiers.priority.powers import power, power_quotient

_CLOSE = 1e-7
"""Where (k-1)(k-2)(length/2 height)^2 is below this, the series of a stretch's height has no third term to be seen."""

_ULP = 2e-16
"""Newton stops where a step, or what it leaves, is no more than this part of the whole."""

_FAR = 1e-6
"""What a step from far away keeps back, so that no rounding takes it past the root."""


@compiled(error_model="numpy")
def upper_end(length: float, wanted: float, num_drafts: int) -> float:
    r"""The upper end x of the interval of this length whose mass is q: :math:`x^k - (x-p)^k = q`, or p if x < p.

    It is 1 or more where even the highest interval has no more mass than q, which must be below k p.

    With the middle s and d = p/2 the mass is :math:`k p s^{k-1} (1 + \tfrac{(k-1)(k-2)}{6} (d/s)^2 + \dots)`, where
    the height :math:`(q/pk)^{1/(k-1)}` is s to first order, and never too low. Else the mass is :math:`x^k g(x)` with
    g falling: scaled by (q/mass)^(1/k), x is still above the root, and so near that Newton, which descends as the mass
    is convex, takes six steps at most.
    """
    height: float = (wanted / length / num_drafts) ** (1.0 / (num_drafts - 1))
    half = 0.5 * length
    square = (half / height) ** 2
    if (num_drafts - 1) * (num_drafts - 2) * square < _CLOSE:
        return height * (1.0 - (num_drafts - 2) / 6.0 * square) + half
    end: float = min(height + half, 1.0)
    mass = length * power_quotient(end, end - length, num_drafts)
    if mass <= wanted:
        return end
    end *= (wanted / mass) ** (1.0 / num_drafts)
    while end > length:
        excess = length * power_quotient(end, end - length, num_drafts) - wanted
        step = excess / (num_drafts * length * power_quotient(end, end - length, num_drafts - 1))
        end -= step
        if not step > _ULP * end:
            return max(end, length)
    return length


@compiled(error_model="numpy", inline=True)
def near_cut(bottom: float, room: float, edge: float, excess: float, wanted: float, num_drafts: int) -> float:
    r"""How much of the segment below ``edge`` makes the mass q, or -1 where the series is not good to rounding.

    Without a cut the stretch ends at x = ``bottom + room`` and has ``excess`` more mass than q. By a cut c it loses

    .. math:: x^k - (x-c)^k - e^k + (e-c)^k = D c \, (1 - a_1 c + a_2 c^2 - a_3 c^3 + \dots)

    with the slope :math:`D = k (x^{k-1} - e^{k-1})` and :math:`a_j \le ((k-1)/x)^j / (j+1)!`. That is the excess where
    :math:`c = u \, (1 + a_1 u + (2 a_1^2 - a_2) u^2 + (5 a_1^3 - 5 a_1 a_2 + a_3) u^3 + \dots)`, u being excess/D, and
    what is left out is below :math:`y^4`, y = (k-1) u/x; after a step of Newton's method, below :math:`y^7`. That step
    is also made where rounding of D, times an excess that is large beside q, would be seen.
    """
    order, high = num_drafts - 1, bottom + room
    above, under = power(high, order), power(edge, order)
    difference = above - under
    scale, for_high, for_edge = 1.0 / difference, 1.0 / high, 1.0 / edge
    once = excess * (scale * (1.0 / num_drafts))
    small = order * once * for_high
    left = excess * small**4
    if not left * small**3 <= _ULP * wanted:
        return -1.0
    above, under = above * for_high, under * for_edge
    first = order / 2.0 * (above - under) * scale
    above, under = above * for_high, under * for_edge
    second = order * (order - 1) / 6.0 * (above - under) * scale
    above, under = above * for_high, under * for_edge
    third = order * (order - 1) * (order - 2) / 24.0 * (above - under) * scale
    last = 5.0 * first * (first * first - second) + third
    squared = once * once  # by powers of it, few products wait for each other
    cut = once + squared * first + squared * once * (2.0 * first * first - second + once * last)
    if (left <= _ULP * wanted and excess <= wanted) or not cut < room:
        return cut
    rest = room - cut
    found = rest * power_quotient(bottom + rest, bottom, num_drafts) + cut * power_quotient(
        edge, edge - cut, num_drafts
    )
    slope = num_drafts * difference * (1.0 - cut * (2.0 * first - 3.0 * second * cut))
    return cut + (found - wanted) / slope


@compiled(error_model="numpy")
def partial_cut(
    bottom: float, room: float, mass: float, edge: float, segment: float, wanted: float, num_drafts: int
) -> tuple[float, bool]:
    """How much of the segment below ``edge`` makes the mass q, and whether even the highest stretch has no more.

    The rest of ``room`` comes from ``bottom`` upwards. The mass is convex and falls with the cut: Newton ascends. From
    where more than half of the interval that the stretch spans is too much, scaling as in :func:`upper_end` does.
    """
    least, most = max(0.0, bottom + room - 1.0), min(segment, room)
    span = max(bottom - edge, 0.0) + room  # from one end of the stretch to the other: what a cut moves down
    cut = least
    while True:
        rest, low = room - cut, edge - cut
        high = bottom + rest
        upper = rest * power_quotient(high, bottom, num_drafts)
        excess = upper + mass + cut * power_quotient(edge, low, num_drafts) - wanted
        if excess <= _ULP * wanted:
            return min(cut, most), cut == least and cut > 0.0
        too_much = excess / (span * power_quotient(high, low, num_drafts)) if excess > wanted else 0.0
        if too_much > 0.5 and num_drafts > 2:
            move = -high * math.expm1(math.log1p(-min(too_much, 1.0) + _FAR) / num_drafts)
        else:
            move = excess / (num_drafts * span * power_quotient(high, low, num_drafts - 1))
        if not cut + move > cut:
            return cut, False
        cut += move
        if cut >= most:
            return most, False
        # The second derivative is at most (k-1)/x of the first, and 0 for k = 2: what is left, without evaluating it.
        if num_drafts == 2 or 0.5 * (num_drafts - 1) * move * excess <= _ULP * wanted * high:
            return cut, False
