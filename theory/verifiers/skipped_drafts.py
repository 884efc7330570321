r"""Many drafts of recursive rejection in one step.

The recursion :math:`u^{m+1} = [u^m - |u^m|\,p]_+` takes from every token a multiple of its p, and the same multiple
from all: with the *clock* :math:`c_m = \sum_{l \le m} |u^l|` it is

.. math:: u^{m+1} = [u^1 - c_m p]_+, \qquad c_m = c_{m-1} + |u^m|.

So tokens are used up in the order of their ratios :math:`u^1/p`, each when the clock passes its ratio. Between two such
drafts let P be the mass p of the tokens that are left. Then each draft leaves the part 1 - P of :math:`|u|`, and n of
them move the clock by :math:`|u| (1 - (1 - P)^n)/P`: the next ratio is reached after a number of drafts that a
logarithm tells, however many they are. O(V log V) for any number of drafts.
"""

from __future__ import annotations

import math

import numpy as np

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.ratio import likelihood_ratio


def clock_after(draft: Array, weights: Array, num_drafts: int) -> float:
    """The clock after k drafts of one trusted row: the weights u, shape (V,), turn into [u - c p]+.

    Examples
    --------
    >>> draft, weights = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    >>> clock_after(draft, weights, 2)  # 1 at first, then [0.75 - 0.5]+ = 0.25
    1.25
    """
    ratio = likelihood_ratio(draft, weights)
    order = np.argsort(ratio)
    clock: float = _run(draft[order], ratio[order], float(weights.sum()), float(num_drafts))
    return clock


@compiled(error_model="numpy", nogil=True)
def _run(draft: Array, ratio: Array, mass: float, left: float) -> float:
    """Run the clock through tokens by ratio ascending; all that is added to the mass is positive, so no digit is lost.

    A draft that uses tokens up leaves what they would have left, and what they lacked besides.
    """
    ahead = np.zeros(draft.size + 1)
    for rank in range(draft.size - 1, -1, -1):
        ahead[rank] = ahead[rank + 1] + draft[rank]
    clock, gone, rank = 0.0, 0.0, 0
    while True:
        while rank < draft.size and ratio[rank] <= clock:
            mass += (clock - max(ratio[rank], 0.0)) * draft[rank]
            gone += draft[rank]
            rank += 1
        rest = ahead[rank]
        if left <= 0.0 or mass <= 0.0 or rest == 0.0:
            return clock + left * mass  # where left and mass are positive, no token is left to be used up
        log_kept = math.log(gone) if gone < 0.5 else math.log1p(-rest)
        missing = (ratio[rank] - clock) * rest / mass
        needed = max(1.0, np.ceil(math.log1p(-missing) / log_kept)) if missing < 1.0 else math.inf
        taken = min(needed, left)
        moved = clock - mass * math.expm1(taken * log_kept) / rest
        # A token counts as used up by the draft that is said to, whatever its last digit.
        clock = max(moved, ratio[rank]) if taken == needed else min(moved, ratio[rank])
        mass *= math.exp(taken * log_kept)
        left -= taken
