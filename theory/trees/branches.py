"""Drafted trees as ordered branches: what rules see that follow the order and the repetition of the drafts."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np

from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.trees.draft_trees import DraftTrees, Node, NodeLaw

Branches: TypeAlias = tuple[tuple[int, "Branches"], ...]
"""What was drafted after a node, in the order of drafting: each time a token and the branches after it."""

ListedTrees: TypeAlias = list[tuple[Branches, float]]
"""Drafted trees with their probabilities."""


def chain(word: Iterable[int]) -> Branches:
    """One sequence as branches.

    Examples
    --------
    >>> chain((2, 0))
    ((2, ((0, ()),)),)
    """
    branches: Branches = ()
    for token in reversed(tuple(word)):
        branches = ((int(token), branches),)
    return branches


def words(branches: Branches) -> list[Node]:
    """The sequences of which all branches are chains, in the order of drafting.

    Examples
    --------
    >>> words(chain((2, 0)) + chain((1, 1)))
    [(2, 0), (1, 1)]
    """
    return [(token, *rest) for token, after in branches for rest in (words(after) or [()])]


def nodes_of(branches: Branches, way: Node = ()) -> Iterator[Node]:
    """List the nodes of a drafted tree, equal ones as often as they were drafted.

    Examples
    --------
    >>> list(nodes_of(chain((2, 0))))
    [(2,), (2, 0)]
    """
    for token, after in branches:
        yield (*way, token)
        yield from nodes_of(after, (*way, token))


def merged(drawn: ListedTrees) -> DraftTrees:
    """The law of the drafted tree without order and repetition, as the block optimum takes it.

    Examples
    --------
    >>> trees = merged([(chain((0, 1)) + chain((0, 1)), 0.25), (chain((1, 0)), 0.75)])
    >>> [sorted(tree) for tree in trees.trees]
    [[(0,), (0, 1)], [(1,), (1, 0)]]
    """
    law: dict[Iterable[Node], float] = {}
    for branches, chance in drawn:
        tree = tuple(sorted(set(nodes_of(branches))))
        law[tree] = law.get(tree, 0.0) + chance
    return DraftTrees.of(law)


def likeliest_tokens(law: Array, count: int) -> Node:
    """The likeliest tokens; of equals those with the smaller numbers.

    Examples
    --------
    >>> likeliest_tokens(np.array([0.25, 0.5, 0.25]), 2)
    (1, 0)
    """
    among = np.arange(law.size)
    if count < law.size:  # a sort of a whole vocabulary takes ten times as long
        among = np.flatnonzero(law >= np.partition(law, -count)[-count])
    return tuple(int(token) for token in among[np.argsort(-law[among], kind="stable")][:count])


def without(law: Array, tokens: Iterable[int]) -> Array:
    """The law given that none of these tokens comes.

    Examples
    --------
    >>> without(np.array([0.5, 0.25, 0.25]), (0,)).tolist()
    [0.0, 0.5, 0.5]
    """
    others: Array = law.copy()
    others[list(tokens)] = 0.0
    return others / others.sum() if others.any() else others


def refuse_repeated(drafts: Node) -> None:
    """Refuse siblings of one token, for rules that take drafts drawn without replacement.

    Raises
    ------
    InvalidInput
        If a token comes twice, as it must where there are more siblings than tokens.

    Examples
    --------
    >>> refuse_repeated((2, 0, 1))
    """
    for place, token in enumerate(drafts):
        if token in drafts[:place]:
            raise InvalidInput(
                f"drafts[{place}] is {token}, as is drafts[{drafts.index(token)}], and siblings are distinct here: "
                "draft without replacement, and no more siblings than tokens"
            )


def refuse_undrafted(drafts: Node, draft: Array) -> None:
    """Refuse drafted tokens that the draft's law, of shape (V,), cannot draw.

    Raises
    ------
    InvalidInput
        If one is no token of the law, or has probability 0.

    Examples
    --------
    >>> refuse_undrafted((0, 0), np.array([0.5, 0.5]))
    """
    for place, token in enumerate(drafts):
        if not 0 <= token < draft.size:
            raise InvalidInput(f"drafts[{place}] is {token}: it must be a token, in 0..{draft.size - 1}")
        if draft[token] <= 0:
            raise InvalidInput(
                f"drafts[{place}] is {token}, which has draft probability 0: give the law that it was drawn from"
            )


def likeliest_prefixes(law: NodeLaw, nodes: int, length: int) -> list[Node]:
    """The N likeliest prefixes of at most L tokens, the likeliest first; none that cannot come.

    The law is asked for after prefixes of fewer than L tokens that are among them.

    Examples
    --------
    >>> laws = [0.75, 0.25], [0.5, 0.5]
    >>> likeliest_prefixes(lambda node: np.array(laws[len(node)]), nodes=3, length=2)
    [(0,), (0, 0), (0, 1)]
    """
    chosen: list[Node] = []
    waiting: list[tuple[float, int, Node]] = []

    def expand(way: Node, chance: float) -> None:
        row = law(way)
        for token in likeliest_tokens(row, nodes):
            if row[token] > 0:
                heapq.heappush(waiting, (-chance * float(row[token]), len(way), (*way, token)))

    expand((), 1.0)
    while waiting and len(chosen) < nodes:
        loss, _, way = heapq.heappop(waiting)
        chosen.append(way)
        if len(way) < length:
            expand(way, -loss)
    return chosen


def nested(nodes: list[Node]) -> Branches:
    """Give the nodes of a certain tree as branches, in their order.

    Examples
    --------
    >>> nested([(0,), (0, 1)])
    ((0, ((1, ()),)),)
    """
    after: dict[Node, list[Node]] = {}
    for node in nodes:
        after.setdefault(node[:-1], []).append(node)

    def grow(way: Node) -> Branches:
        return tuple((child[-1], grow(child)) for child in after.get(way, []))

    return grow(())
