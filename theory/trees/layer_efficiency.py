"""The expected accepted length of priority layer verification, exactly, for sequences that a model drafts."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations_with_replacement, islice, product

import numpy as np
from numpy.typing import NDArray

from specproof.theory.chain import Chain, check_same_size
from specproof.theory.display import shown
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.trees.draft_trees import joint_law, next_token_law
from specproof.theory.trees.layer_tree import LayerTree
from specproof.theory.trees.priority_layers import weigh_layers
from specproof.theory.verifiers.priority.coupling import as_tolerance

MOST_MULTISETS = 1_000_000
"""The multisets of draft sequences, without their last tokens, may hold at most so many together."""

_CHUNK = 2**18
"""Entries of the rows that are laid out at a time."""


def layer_efficiency(draft: Chain, target: Chain, num_drafts: int, length: int, tolerance: float = 0.0) -> Array:
    r"""The means of the layers' weights: depth j = 1..L is accepted with probability E[W_j], shape (L,).

    Their sum is the expected accepted length; a call emits one token more. As
    :math:`E[W_{j+1} | \text{drafts to } j] = W_j - r_j`, the last tokens that are drafted need not be enumerated: the
    sum goes over multisets of K sequences of L - 1 tokens.

    Parameters
    ----------
    draft, target : MarkovChain or TabularModel
        Both of one kind, vocabulary and horizon, which is at least L.
    num_drafts, length : int
        K and L, each at least 1.
    tolerance : float
        As for :class:`~specproof.theory.verifiers.priority.PriorityCoupling`.

    Raises
    ------
    InvalidInput
        If the models differ in kind, size or horizon, the horizon is too short, a number is not an integer >= 1, the
        tolerance is not a number in [0, 1e-3], or the multisets are too many.

    Examples
    --------
    >>> from specproof import MarkovChain, layer_efficiency
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 3) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> [layer_efficiency(draft, target, count, 2).tolist() for count in (1, 2)]
    [[1.0, 0.75], [1.0, 0.875]]
    """
    check_same_size(draft, target)
    count, levels, least = one_num_drafts(num_drafts), positive_integer(length, "length"), as_tolerance(tolerance)
    if target.horizon < levels:
        raise InvalidInput(f"length is {shown(levels)} but the models have horizon {target.horizon}: take a longer one")
    size = draft.num_states
    chance = joint_law(draft, levels - 1, "draft").reshape(-1) if levels > 1 else np.ones(1)
    possible = np.flatnonzero(chance)
    sets = math.comb(possible.size + count - 1, count) if count <= MOST_MULTISETS else MOST_MULTISETS
    if sets * count > MOST_MULTISETS:
        raise InvalidInput(
            f"num_drafts is {shown(count)}, and multisets of so many of {possible.size} sequences hold more than "
            f"{MOST_MULTISETS:,}: take fewer drafts, fewer tokens or a shorter length"
        )
    words = np.stack(np.unravel_index(np.arange(chance.size), (size,) * (levels - 1) or (1,)), axis=-1)
    words = words[:, : levels - 1]
    tables = _tables(draft, levels), _tables(target, levels)
    ended, chosen = np.zeros(levels), combinations_with_replacement(possible.tolist(), count)
    step = max(1, _CHUNK // (size * (1 + count * levels)))
    while part := list(islice(chosen, step)):
        weight = np.array([_ways(members) for members in part]) * chance[np.array(part)].prod(axis=1)
        ended += weight @ _masses(tables, words[np.array(part)], count, least)[:, :levels]
    return np.maximum(1.0 - np.cumsum(ended), 0.0)


def _ways(members: tuple[int, ...]) -> int:
    """How many orders a multiset has."""
    return math.factorial(len(members)) // math.prod(math.factorial(times) for times in Counter(members).values())


def _tables(model: Chain, length: int) -> list[Array]:
    """The laws after all sequences of 0 to L - 1 tokens, by their numbers in the order of the vocabulary."""
    return [
        np.array([next_token_law(model, way) for way in product(range(model.num_states), repeat=depth)])
        for depth in range(length)
    ]


def _masses(
    tables: tuple[list[Array], list[Array]], sequences: NDArray[np.int64], count: int, tolerance: float
) -> Array:
    """What ends at each depth, for sequences of shape (n, K, L - 1) and whatever is drafted last."""
    trees, _, before = sequences.shape
    size = tables[0][0].shape[1]
    rows = [np.broadcast_to(table[0], (trees, 1, size)) for table in tables]
    number = np.zeros((trees, count), dtype=np.int64)
    for depth in range(before):
        number = number * size + sequences[:, :, depth]
        rows = [
            np.concatenate((found, table[depth + 1][number]), axis=1) for found, table in zip(rows, tables, strict=True)
        ]
    draft, target = rows
    last = np.zeros((trees, count))
    drafts = np.concatenate((sequences.transpose(0, 2, 1).reshape(trees, -1), last), axis=1).astype(np.int64)
    target = np.concatenate((target, np.zeros((trees, count, size))), axis=1)
    return weigh_layers(draft, target, drafts, LayerTree.sequences(count, before + 1), tolerance).masses
