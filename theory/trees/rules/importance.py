r"""Canonical decomposition: the drafts choose one among them, which then meets the ratio test of one draft.

Of the set S of drafts token i is chosen with probability :math:`\beta(i|S)`, which makes it a draft of the law
:math:`p_I(i) = \sum_S P(S) \beta(i|S)`; it is accepted with probability :math:`\min(1, q/p_I)`, and what else is
emitted has the law of :math:`[q - p_I]_+`. That is lossless for any weights, and for the best ones it is optimal [1]_:
they are found here by the linear program :math:`\max \sum_i \min(p_I(i), q(i))`. The paper's fast schemes truncate it.

References
----------
.. [1] Khisti et al. 2025, Multi-Draft Speculative Sampling: Canonical Decomposition and Theoretical Limits, ICLR,
   arXiv 2410.18234, Theorem 1.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.transport.draft_sets import DraftSets
from specproof.theory.trees.draft_trees import Node

Weights = dict[tuple[int, ...], Array]
"""For each set of drafted tokens, in ascending order, with what chance each token is chosen, shape (V,)."""


def importance(draft: Array, target: Array, drafts: Node) -> tuple[Array, Array]:
    """The step for i.i.d. drafts, see the module; a token of the residual that was drafted goes on.

    Examples
    --------
    >>> [law.tolist() for law in importance(np.array([0.5, 0.5]), np.array([0.25, 0.75]), (0,))]
    [[0.5, 0.0], [0.0, 0.5]]
    """
    weights, proposal = chosen_among(tuple(draft), tuple(target), len(drafts))
    chosen = weights[tuple(sorted(set(drafts)))]
    ratio = np.divide(target, proposal, out=np.ones_like(target), where=target < proposal)
    accepted = chosen * ratio
    other = max(1.0 - float(accepted.sum()), 0.0) * normalise_or_zero(np.maximum(target - proposal, 0.0))
    drafted = np.isin(np.arange(target.size), drafts)
    return accepted + np.where(drafted, other, 0.0), np.where(drafted, 0.0, other)


@lru_cache(maxsize=256)
def chosen_among(draft: tuple[float, ...], target: tuple[float, ...], count: int) -> tuple[Weights, Array]:
    """The best weights of every set of so many i.i.d. drafts, and the law of the draft that is chosen.

    Examples
    --------
    >>> weights, proposal = chosen_among((0.5, 0.5), (0.25, 0.75), 2)
    >>> weights[0, 1].round(12).tolist(), proposal.tolist()
    ([0.0, 1.0], [0.25, 0.75])
    """
    if count == 1:
        return {(token,): row for token, row in enumerate(np.eye(len(draft)))}, np.array(draft)
    sets = DraftSets.iid(np.array(draft), count)
    masses, size = np.array(sets.masses, dtype=float), len(target)
    pairs = [(row, token) for row, tokens in enumerate(sets.sets) for token in tokens]
    rows, tokens = (np.array(part) for part in zip(*pairs, strict=True))
    places = np.arange(rows.size)
    share = sp.csr_array((np.ones(rows.size), (rows, places)), shape=(masses.size, rows.size))
    chosen = sp.csr_array((np.ones(rows.size), (tokens, places)), shape=(size, rows.size))
    found = linprog(
        np.concatenate([np.zeros(rows.size), -np.ones(size)]),  # of each pair its mass, of each token what is accepted
        A_ub=sp.hstack([-chosen, sp.eye_array(size)]),
        b_ub=np.zeros(size),
        A_eq=sp.hstack([share, sp.csr_array((masses.size, size))]),
        b_eq=masses,
        bounds=[(0.0, None)] * rows.size + [(0.0, weight) for weight in target],
    )
    if found.status != 0:
        raise RuntimeError(f"HiGHS ended the linear program with status {found.status}: {found.message}")
    table = np.zeros((masses.size, size))
    table[rows, tokens] = np.maximum(found.x[: rows.size], 0.0) + 1e-300  # of a set without mass all weights are equal
    table /= table.sum(axis=1, keepdims=True)
    return dict(zip(sets.sets, table, strict=True)), masses @ table
