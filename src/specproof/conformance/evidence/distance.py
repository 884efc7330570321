r"""How far the law of independent draws is from another: confidence bounds on the total variation.

With :math:`\hat P` the frequencies of n independent draws, :math:`D = TV(\hat P, q)` changes by at most 1/n if one draw
changes, so that it is within :math:`t = \sqrt{\ln(1/a) / (2n)}` of its mean on either side with probability at least
1 - a [1]_. Its mean is at least the distance :math:`TV(P, q)`, by convexity, and at most
:math:`TV(P, q) + \tfrac{1}{2} \sqrt{(m - 1) / n}` over m outcomes, by Cauchy and Schwarz.

References
----------
.. [1] McDiarmid, C. (1989). On the method of bounded differences. *Surveys in Combinatorics*, 148-188.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from specproof.theory.distribution import Array


def upper_bound(counts: NDArray[np.int64], law: Array, level: float) -> float:
    """Bound the total variation between the law of the draws and ``law`` from above, wrongly with chance ``level``.

    Examples
    --------
    >>> upper_bound(np.array([50_000, 50_000]), np.array([0.5, 0.5]), 1e-6) < 0.01
    True
    """
    trials = int(counts.sum())
    return 1.0 if trials == 0 else min(_distance(counts, law) + _deviation(trials, level), 1.0)


def lower_bound(counts: NDArray[np.int64], law: Array, level: float) -> float:
    """Bound it from below, wrongly with chance ``level``.

    Examples
    --------
    >>> 0.29 < lower_bound(np.array([80_000, 20_000]), np.array([0.5, 0.5]), 1e-6) < 0.3
    True
    """
    trials = int(counts.sum())
    if trials == 0:
        return 0.0
    spread = 0.5 * math.sqrt((law.size - 1) / trials)
    return max(_distance(counts, law) - spread - _deviation(trials, level), 0.0)


def _distance(counts: NDArray[np.int64], law: Array) -> float:
    return 0.5 * float(np.abs(counts / counts.sum() - law).sum())


def _deviation(trials: int, level: float) -> float:
    return math.sqrt(-math.log(level) / (2 * trials))
