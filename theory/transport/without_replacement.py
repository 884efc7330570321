r"""The optimal acceptance with k drafts drawn without replacement, at any vocabulary size.

Write F(A) for the probability that all k drafts fall into A. The optimum is :math:`1 + \min_A [q(A) - F(A)]`, and the
smallest best A is a suffix of the tokens sorted by q/p descending, as it is for i.i.d. drafts.

*Proof.* Let A be that set, i in A and j outside, and B = A without i. As A without i is worse than A and A with j is no
better, :math:`q_i < F(B+i) - F(B)` and :math:`q_j \ge F(B+i+j) - F(B+i)`. It remains to see that the first difference
over :math:`p_i` is at most the second over :math:`p_j`. Drawing without replacement is a race: token x arrives at a
time :math:`T_x \sim Exp(p_x)`, and the first k to arrive are the drafts. Let :math:`c` be the mass outside B+i+j, and
:math:`\sigma_r` the time of the r-th arrival from B, all given. The first difference is the chance that the drafts are
i and k-1 tokens of B; the second, that they are j and k-1 of B, or i, j and k-2 of B:

.. math:: \frac{F(B+i)-F(B)}{p_i} = \int_0^{\sigma_k} e^{-p_i t} e^{-(p_j+c)\max(t,\sigma_{k-1})} dt, \qquad
          \frac{F(B+i+j)-F(B+i)}{p_j} \ge \int_0^{\sigma_k} e^{-p_j t} e^{-(p_i+c)\max(t,\sigma_{k-1})} dt
          + e^{-c\sigma_{k-1}} \int_0^{\sigma_{k-1}} e^{-p_j t} (1-e^{-p_i \sigma_{k-1}})\, dt

The integrands over :math:`t > \sigma_{k-1}` are the same. With :math:`s = \sigma_{k-1}` and without the common factor
:math:`e^{-cs}`, right minus left is at least :math:`(1-e^{-p_j s})/p_j - e^{-p_j s}(1-e^{-p_i s})/p_i`, where the first
term is at least :math:`s e^{-p_j s}` and the second at most that. So :math:`q_i/p_i < q_j/p_j`. (A token with p = 0
belongs outside.)
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array, as_pair
from specproof.theory.drafts import as_num_drafts
from specproof.theory.looks import Look, register_look
from specproof.theory.ratio import sort_by_ratio
from specproof.theory.rows import for_each_row
from specproof.theory.transport.draft_sets import check_support

TAIL = 42.0
"""What is cut off on either side is below exp(-42) of the whole."""

_NODES = 64
"""A row is as long as so many of its own tokens where work is shared out; the nodes are somewhat more."""

_UNIT = 2.0**60
"""Rates are taken times this and times divided by it, or the times of denormal rates would overflow."""

_OVER = 700.0
"""The number e^-700 is nothing beside the other nodes, and infinity times 0 would be no number."""


def optimal_acceptance_without_replacement(draft: ArrayLike, target: ArrayLike, num_drafts: ArrayLike) -> Array:
    r"""The optimal acceptance with k drafts drawn without replacement, for one or many k at once.

    .. math:: \alpha^* = \min_A [q(A) + G(\bar A)], \quad
              G(\bar A) = \int_0^\infty c\, e^{-ct}\, P(N_A(t) < k)\, dt, \quad c = p(\bar A)

    over the V+1 suffixes A of the tokens sorted by q/p descending. G is the chance that some draft falls outside A: in
    a race where token x arrives at a time of law Exp(p_x), the first arrival from outside, of law Exp(c), comes before
    the k-th from A. :math:`N_A(t)`, the arrivals from A until t, is a sum of independent indicators of success
    :math:`1 - e^{-p_x t}`, and its law grows by one token from suffix to suffix. Every term is positive, so that small
    values keep their digits. The integral is taken by the double exponential rule with
    :math:`t = \exp(x - e^{-x})`. (Takahasi and Mori 1974.)

    Parameters
    ----------
    draft, target : array_like, shape (..., V)
        Leading axes broadcast.
    num_drafts : int or array_like of int, shape K
        Each >= 1, and at most the number of tokens with p > 0.

    Returns
    -------
    array, shape (...) + K
        In [0, 1]; O(V log V + V max(K) n) for each row, n about a hundred nodes, and more where the k-th most probable
        token is far below 1e-3. The sort is one or two hundredths of the work. Rows are shared out to all cores.

    Raises
    ------
    InvalidInput
        If an argument is not a distribution, the two do not match, a number of drafts is not an integer >= 1, or there
        are not as many tokens to draft.

    Examples
    --------
    >>> from specproof import optimal_acceptance_without_replacement
    >>> round(float(optimal_acceptance_without_replacement([0.5, 0.25, 0.25], [0.0, 0.0, 1.0], 2)), 9)
    0.583333333
    """
    draft_rows, target_rows = as_pair(draft, target)
    counts = as_num_drafts(num_drafts)
    most = int(counts.max())
    check_support(draft_rows, most)
    leading, vocabulary = draft_rows.shape[:-1], draft_rows.shape[-1]
    flat = np.empty((math.prod(leading), counts.size))
    proposals, laws = draft_rows.reshape(-1, vocabulary), target_rows.reshape(-1, vocabulary)

    def find(row: int) -> None:
        flat[row] = _suffix_values(proposals[row], laws[row], most)[counts.reshape(-1) - 1]

    for_each_row(flat.shape[0], _NODES * vocabulary, find)
    acceptance: Array = np.minimum(flat, 1.0).reshape(leading + counts.shape)
    return acceptance


def _suffix_values(draft: Array, target: Array, most: int) -> Array:
    """The least of q(A) + G over the suffixes, for k = 1..most, shape (most,)."""
    by_ratio = sort_by_ratio(draft[np.newaxis], target[np.newaxis])
    times, weights = _nodes(np.partition(draft, -most)[-most], most)
    rates, outside = _UNIT * draft[by_ratio.order[0]], _UNIT * by_ratio.draft_head[0]
    escapes = _escape_probability(rates, outside, times, weights, most)
    values: Array = (by_ratio.target_tail[0] + escapes).min(axis=-1)
    return values


def _nodes(kth_largest: float, most: int) -> tuple[Array, Array]:
    """Times of the rule on (0, infinity), and weights for an integral over log t.

    The k most probable tokens have all arrived by the last node but for a chance of e^-TAIL. If they are all in A the
    integrand is over by then, and if one is not the race is. The time of the k-th arrival is the sharper the larger k,
    by a factor of 1/sqrt(k), and so are the features of the integrand that the nodes must resolve.
    """
    step = 1.0 / np.sqrt(40.0 + most)
    last = np.log(TAIL + np.log(most)) - np.log(kth_largest)
    first = -np.log(TAIL)  # where t = exp(x - TAIL)
    x = first + step * np.arange(np.ceil((last + step - first) / step) + 1)
    times = np.exp(x - np.exp(-x) - np.log(_UNIT))
    return times, step * (1.0 + np.exp(-x))


@compiled(nogil=True)
def _escape_probability(rates: Array, outside: Array, times: Array, weights: Array, most: int) -> NDArray[np.float64]:
    """G for every suffix and every k up to ``most``, shape (most, V+1), from p in order and the masses outside."""
    size = rates.size
    escape = np.zeros((most, size + 1))
    for node in range(times.size):
        time = times[node]
        arrivals = np.zeros(most)  # P(exactly j tokens of the suffix have arrived), j < most
        arrivals[0] = 1.0
        for split in range(size, -1, -1):
            if split < size:
                arrived = -np.expm1(-rates[split] * time)
                for j in range(most - 1, 0, -1):
                    arrivals[j] = arrivals[j] * (1.0 - arrived) + arrivals[j - 1] * arrived
                arrivals[0] *= 1.0 - arrived
            race = outside[split] * time
            if race > _OVER:
                continue
            density = weights[node] * race * np.exp(-race)
            fewer = 0.0
            for j in range(most):
                fewer += arrivals[j]
                escape[j, split] += density * fewer
    return escape


register_look("optimal_distinct", Look("optimum, distinct drafts", "#000000", "v"))
