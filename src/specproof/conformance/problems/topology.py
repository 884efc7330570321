"""Shapes of trees, given by the parent of each node: -1 for the root, which is the first, and parents come first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput


def depths_of(parents: Sequence[int]) -> list[int]:
    """Give the depth of each node, 0 for the root.

    Raises
    ------
    InvalidInput
        If the parents are not those of a tree with a node beside the root.

    Examples
    --------
    >>> depths_of((-1, 0, 0, 1))
    [0, 1, 1, 2]
    """
    if len(parents) < 2 or parents[0] != -1:
        raise InvalidInput(f"parents is {list(parents)}: give -1 for the root and the parent of one node or more")
    depths = [0]
    for node, parent in enumerate(parents[1:], start=1):
        if not isinstance(parent, int | np.integer):
            raise InvalidInput(f"parents[{node}] is {shown(parent)}: a node's parent is an integer, 0..{node - 1}")
        if not 0 <= parent < node:
            raise InvalidInput(f"parents[{node}] is {parent}: a node's parent comes before it, 0..{node - 1}")
        depths.append(depths[parent] + 1)
    return depths


def children_of(parents: Sequence[int]) -> list[list[int]]:
    """List the children of each node in turn.

    Examples
    --------
    >>> children_of((-1, 0, 0, 1))
    [[1, 2], [3], [], []]
    """
    return [[child for child, parent in enumerate(parents) if parent == node] for node in range(len(parents))]


def refuse_many_children(parents: Sequence[int], num_tokens: int) -> None:
    """Refuse nodes with more children than there are tokens to tell them apart.

    Raises
    ------
    InvalidInput
        If there is one.

    Examples
    --------
    >>> refuse_many_children((-1, 0, 0, 1), num_tokens=2)
    """
    for node, children in enumerate(children_of(parents)):
        if len(children) > num_tokens:
            raise InvalidInput(
                f"parents[{children[num_tokens]}] is {node}, child {num_tokens + 1} of that node, and {num_tokens} "
                "tokens tell no more apart: give it fewer children, or draw them iid"
            )


def pruned(parents: Sequence[int], most: int) -> tuple[int, ...]:
    """Keep the first children of each node, at most so many, and what comes after them.

    Examples
    --------
    >>> pruned((-1, 0, 0, 2, 1), most=1)
    (-1, 0, 1)
    """
    children = children_of(parents)
    kept = [0]
    for node in range(1, len(parents)):
        if parents[node] in kept and children[parents[node]].index(node) < most:
            kept.append(node)
    return renumbered(parents, kept)


def without_leaf(parents: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Take one leaf away, the last first, if two nodes beside the root are there.

    Examples
    --------
    >>> list(without_leaf((-1, 0, 0, 1)))
    [(-1, 0, 0), (-1, 0, 1)]
    """
    if len(parents) > 2:
        for leaf in range(len(parents) - 1, 0, -1):
            if leaf not in parents:
                yield renumbered(parents, [node for node in range(len(parents)) if node != leaf])


def renumbered(parents: Sequence[int], kept: Sequence[int]) -> tuple[int, ...]:
    """Keep some nodes with all on the way to them."""
    return tuple(kept.index(parents[node]) if node else -1 for node in kept)
