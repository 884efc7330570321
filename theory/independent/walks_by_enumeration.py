"""Walks down a draft tree enumerated node by node: i.i.d. children, certain children, exact match.

At every node that a walk comes to, something decides which token goes on in the tree and which ends the call. Nothing
is used of what the products of chances come to, only what happens at a node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from specproof.theory.chain import TabularModel, check_same_size
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.verifiers import VERIFIERS

Node = Callable[[int, Array, Array], tuple[Array, Array]]
"""``node(level, draft, target)``: with what probability each token goes on from a node at this depth, and ends."""


def walks_by_enumeration(draft: TabularModel, target: TabularModel, length: int, node: Node) -> list[Array]:
    """The joint law of a call's tokens: entry n-1, shape (V,) * n, is the probability that it emits just these n.

    Parameters
    ----------
    draft, target : TabularModel
        Of one vocabulary and horizon, at least L + 1.
    length : int
        L >= 1, the depth of the tree; after a leaf comes a token of the target.
    node : callable
        See :data:`Node`.

    Raises
    ------
    InvalidInput
        If the models differ or are not tabular, or the length is not an integer in 1..horizon - 1.

    Examples
    --------
    >>> draft, target = (TabularModel([law, [law, law]]) for law in ([0.5, 0.5], [0.25, 0.75]))
    >>> [block.tolist() for block in walks_by_enumeration(draft, target, 1, exact_match)]
    [[0.125, 0.375], [[0.03125, 0.09375], [0.09375, 0.28125]]]
    """
    check_same_size(draft, target, TabularModel)
    if positive_integer(length, "length") >= draft.horizon:
        raise InvalidInput(f"length is {length!r}: it must lie in 1..horizon - 1 = {draft.horizon - 1}")
    size = draft.num_states
    blocks: list[Array] = []
    come: Array = np.ones(())
    for level in range(length):
        goes_on, ends = np.zeros((size,) * (level + 1)), np.zeros((size,) * (level + 1))
        for path in np.ndindex(come.shape):
            found = node(level, draft.conditionals[level][path], target.conditionals[level][path])
            goes_on[path], ends[path] = (come[path] * part for part in found)
        blocks.append(ends)
        come = goes_on
    return [*blocks, come[..., np.newaxis] * target.conditionals[length]]


def iid_children(verifier: str, counts: Sequence[int]) -> Node:
    """Independent children of every node, ``counts[level]`` of them, among which a verifier chooses.

    Raises
    ------
    InvalidInput
        If no verifier has this name, or its rule for given drafts is not registered.

    Examples
    --------
    >>> goes_on, ends = iid_children("single", [1])(0, np.array([0.5, 0.5]), np.array([0.25, 0.75]))
    >>> goes_on.tolist(), ends.tolist()
    ([0.25, 0.5], [0.0, 0.25])
    """
    rule = VERIFIERS.named(verifier)
    given = rule.given_drafts
    if given is None:
        raise InvalidInput(f"verifier is {verifier!r}, whose rule for given drafts is not registered: register it too")

    def node(level: int, draft: Array, target: Array) -> tuple[Array, Array]:
        children = [np.array(found) for found in product(np.flatnonzero(draft > 0), repeat=counts[level])]
        accepted = given(draft, target, np.array(children))
        goes_on, ended = np.zeros_like(target), 0.0
        for drafts, chances in zip(children, accepted, strict=True):
            drawn = float(np.prod(draft[drafts]))
            np.add.at(goes_on, drafts, drawn * chances)
            ended += drawn * max(1.0 - float(chances.sum()), 0.0)
        return goes_on, ended * rule.law(draft, target, counts[level]).residual

    return node


def certain_children(counts: Sequence[int]) -> Node:
    """The draft's ``counts[level]`` likeliest tokens are the children; the target draws, and its token decides.

    Examples
    --------
    >>> certain_children([1])(0, np.array([0.5, 0.5]), np.array([0.25, 0.75]))[0].tolist()
    [0.25, 0.0]
    """

    def node(level: int, draft: Array, target: Array) -> tuple[Array, Array]:
        by_draft = sorted(range(draft.size), key=lambda token: (-draft[token], token))
        inside = np.isin(np.arange(draft.size), by_draft[: counts[level]])
        return np.where(inside, target, 0.0), np.where(inside, 0.0, target)

    return node


def exact_match(_: int, draft: Array, target: Array) -> tuple[Array, Array]:
    """One child drawn from the draft; the target draws too, and the walk goes on if both are one token.

    Examples
    --------
    >>> [part.tolist() for part in exact_match(0, np.array([0.5, 0.5]), np.array([0.25, 0.75]))]
    [[0.125, 0.375], [0.125, 0.375]]
    """
    together = np.outer(draft, target)
    goes_on = np.diag(together).copy()
    np.fill_diagonal(together, 0.0)
    return goes_on, together.sum(axis=0)
