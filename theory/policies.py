r"""Four policies for one drafted token, what each accepts, and the draft temperature that suits it best.

=================  =====================================================================================================
``argmax``         the draft's likeliest token, taken for certain: :math:`q(\arg\max p)`
``exact_match``    a drawn token, kept if the target draws it too: :math:`\sum p q`
``ratio``          a drawn token, kept with min(1, q/p): :math:`\sum \min(p, q)`
``shared_noise``   both draw by the same exponential races: :math:`\sum_j 1 / \sum_i \max(p_i/p_j, q_i/q_j)`
=================  =====================================================================================================

All are lossless. The ratio test accepts no less than exact match and shared noise, which is within a factor
:math:`1/(1 + TV)` of it [1]_; none of argmax and ratio test accepts more than the other always.

References
----------
.. [1] Daliri, Musco, Suresh 2025, Coupling without Communication and Drafter-Invariant Speculative Decoding,
   arXiv 2408.07978.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.arrays import as_real, in_one_layout
from specproof.theory.compiled import compiled
from specproof.theory.display import shown
from specproof.theory.distribution import Array, as_distribution, as_pair, softmax
from specproof.theory.errors import InvalidInput

TEMPERATURES = (0.02, 20.0)
"""The best draft temperature is looked for between these; below the first a draft is its argmax for all that counts."""

STARTS = 97
"""The search begins at so many temperatures, at equal steps of their logarithm; there may be several local optima."""


def _of_distributions(formula: Callable[[Array, Array], Array]) -> Callable[[ArrayLike, ArrayLike], Array]:
    """Let a formula of two distributions refuse, as InvalidInput, what is none and two that do not match."""

    @wraps(formula)
    def checked(draft: ArrayLike, target: ArrayLike) -> Array:
        return formula(*as_pair(draft, target))

    return checked


@_of_distributions
def argmax_acceptance(draft: Array, target: Array) -> Array:
    """The target's probability of the draft's likeliest token, shape (...); of equals the first.

    Examples
    --------
    >>> float(argmax_acceptance([0.75, 0.25], [0.5, 0.5]))
    0.5
    """
    chosen: Array = np.take_along_axis(target, draft.argmax(axis=-1)[..., np.newaxis], axis=-1)[..., 0]
    return chosen


@_of_distributions
def exact_match_acceptance(draft: Array, target: Array) -> Array:
    """The probability that two independent draws agree, shape (...).

    Examples
    --------
    >>> float(exact_match_acceptance([0.75, 0.25], [0.5, 0.5]))
    0.5
    """
    matched: Array = (draft * target).sum(axis=-1)
    return matched


@_of_distributions
def ratio_acceptance(draft: Array, target: Array) -> Array:
    """What the ratio test accepts, shape (...).

    Examples
    --------
    >>> float(ratio_acceptance([0.75, 0.25], [0.5, 0.5]))
    0.75
    """
    overlap: Array = np.minimum(draft, target).sum(axis=-1)
    return overlap


@_of_distributions
def shared_noise_acceptance(draft: Array, target: Array) -> Array:
    """The probability that both sides' races have one winner, shape (...); O(V log V) a row.

    With the tokens in the order of q/p the inner sum is p up to j over p_j, and q after it over q_j.

    Examples
    --------
    >>> round(float(shared_noise_acceptance([0.75, 0.25], [0.5, 0.5])), 12)
    0.75
    """
    ratio = np.divide(target, draft, out=np.full_like(target, np.inf), where=draft > 0)
    order = np.argsort(ratio, axis=-1).reshape(-1, ratio.shape[-1])
    p, q = (in_one_layout(rows.reshape(order.shape), np.float64) for rows in (draft, target))
    return _same_winner(p, q, order).reshape(draft.shape[:-1])


@compiled(error_model="numpy", nogil=True)
def _same_winner(draft: Array, target: Array, order: NDArray[np.int64]) -> Array:
    """The sum of pq / (p up to the token times q + q after it times p), tokens in an order by q/p; shape (rows,)."""
    found, before = np.zeros(draft.shape[0]), np.empty(draft.shape[1])
    for row in range(draft.shape[0]):
        mass, after = 0.0, 0.0
        for place in range(before.size):
            mass += draft[row, order[row, place]]
            before[place] = mass
        for place in range(before.size - 1, -1, -1):
            p, q = draft[row, order[row, place]], target[row, order[row, place]]
            if p > 0.0 and q > 0.0:
                found[row] += p * q / (before[place] * q + after * p)
            after += q
    return found


POLICIES: dict[str, Callable[[ArrayLike, ArrayLike], Array]] = {
    "argmax": argmax_acceptance,
    "exact_match": exact_match_acceptance,
    "ratio": ratio_acceptance,
    "shared_noise": shared_noise_acceptance,
}
"""What each policy accepts, by its name."""


class BestTemperature(NamedTuple):
    """The draft temperature at which a policy accepts most, on average over positions.

    Examples
    --------
    >>> from specproof import best_draft_temperature
    >>> best_draft_temperature([[0.0, 0.0]], [[0.5, 0.5]], "ratio").acceptance
    1.0
    """

    temperature: float
    """The temperature; where all are equal, as for argmax, the smallest that was tried."""
    acceptance: float
    """The mean acceptance at it."""


def best_draft_temperature(draft_logits: ArrayLike, target: ArrayLike, policy: str) -> BestTemperature:
    """Find the draft temperature at which a policy accepts most, from logits that were saved.

    Parameters
    ----------
    draft_logits : array_like, shape (..., V)
        At temperature 1.
    target : array_like, shape (..., V)
        The target's laws at the same positions, at the temperature that it is to have.
    policy : str
        A key of ``POLICIES``.

    Raises
    ------
    InvalidInput
        If the policy has no such name, a row of the target is not a distribution, or the shapes differ.

    Examples
    --------
    The target is the draft at temperature 2:

    >>> best = best_draft_temperature([0.0, 1.0, 3.0], softmax([0.0, 1.0, 3.0], 2.0), "ratio")
    >>> round(best.temperature, 3), round(best.acceptance, 6)
    (2.0, 1.0)
    """
    if not isinstance(policy, str) or policy not in POLICIES:
        raise InvalidInput(f"policy is {shown(policy)}: it must be one of {', '.join(POLICIES)}")
    logits, laws = as_real(draft_logits, "draft_logits"), as_distribution(target, "target")
    if logits.shape != laws.shape:
        raise InvalidInput(f"draft_logits has shape {logits.shape} and target {laws.shape}: give logits for each law")
    from scipy.optimize import minimize_scalar

    def refused(log_temperature: float) -> float:
        return 1.0 - float(POLICIES[policy](softmax(logits, float(np.exp(log_temperature))), laws).mean())

    grid = np.log(np.geomspace(*TEMPERATURES, STARTS))
    values = [refused(float(point)) for point in grid]
    place = int(np.argmin(values))
    ends = float(grid[max(place - 1, 0)]), float(grid[min(place + 1, STARTS - 1)])
    found = minimize_scalar(refused, bounds=ends, method="bounded", options={"xatol": 1e-8})
    point, value = (
        (float(found.x), float(found.fun)) if found.fun < values[place] else (float(grid[place]), values[place])
    )
    return BestTemperature(float(np.exp(point)), 1.0 - value)
