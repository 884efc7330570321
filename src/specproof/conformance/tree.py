"""Drafted trees as a verifier is handed them: tokens and parents of n trials, and what engines derive from these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Drawn(StrEnum):
    """How the children of a node were drawn from the draft's law at the node."""

    CERTAIN = "certain"
    """They are its likeliest tokens, the likeliest first, whether or not their law is handed out."""
    IID = "iid"
    """They are independent, so that siblings may be equal."""
    DISTINCT = "distinct"
    """They are drawn one after the other without replacement."""
    PATHS = "paths"
    """The tree is K independent draft sequences, which agree by chance: siblings may be equal."""


@dataclass(frozen=True, eq=False)
class Tree:
    """The trees of n trials, N nodes each: the root is node 0 and stands for the text so far, parents come first.

    Attributes
    ----------
    tokens : array of int64, shape (n, N)
        The token of each node; -1 at the root.
    parents : array of int64, shape (n, N)
        The parent of each node; -1 at the root.
    drawn : Drawn
        How children were drawn, one of ``"certain"``, ``"iid"``, ``"distinct"`` and ``"paths"``.

    Examples
    --------
    >>> tree = Tree(np.array([[-1, 5, 7, 5]]), np.array([[-1, 0, 0, 1]]), Drawn.IID)
    >>> tree.first_child.tolist(), tree.next_sibling.tolist()
    ([[1, 3, -1, -1]], [[-1, 2, -1, -1]])
    >>> tree.leaf_paths.tolist()
    [[[0, 2, -1], [0, 1, 3]]]
    """

    tokens: Any
    parents: Any
    drawn: Drawn

    @property
    def first_child(self) -> Any:
        """The first child of each node, or -1; shape (n, N)."""
        parents = np.asarray(self.parents)
        found = np.full(parents.shape, -1)
        for node in range(parents.shape[1] - 1, 0, -1):
            found[np.arange(len(parents)), parents[:, node]] = node
        return self._like(found)

    @property
    def next_sibling(self) -> Any:
        """The next child of the same parent, or -1; shape (n, N)."""
        parents = np.asarray(self.parents)
        found, following = np.full(parents.shape, -1), np.full(parents.shape, -1)
        trials = np.arange(len(parents))
        for node in range(parents.shape[1] - 1, 0, -1):
            found[:, node] = following[trials, parents[:, node]]
            following[trials, parents[:, node]] = node
        return self._like(found)

    @property
    def depth(self) -> int:
        """D, the depth of the deepest node; the root's is 0."""
        parents = np.asarray(self.parents)
        depths = np.zeros(parents.shape, dtype=np.int64)
        for node in range(1, parents.shape[1]):
            depths[:, node] = depths[np.arange(len(parents)), parents[:, node]] + 1
        return int(depths.max())

    @property
    def leaf_paths(self) -> Any:
        """The nodes from the root to each leaf, the leaves by their numbers, -1 after it; shape (n, leaves, D+1).

        A tree with fewer leaves than another of its batch has rows of -1.
        """
        parents = np.asarray(self.parents)
        shapes, shape_of = np.unique(parents, axis=0, return_inverse=True)  # few trees of many trials differ in shape
        own = [_leaf_paths(row.tolist()) for row in shapes]
        found = np.full((len(own), max(map(len, own)), self.depth + 1), -1)
        for shape, paths in enumerate(own):
            for place, path in enumerate(paths):
                found[shape, place, : len(path)] = path
        return self._like(found[shape_of.reshape(-1)])

    def _like(self, array: NDArray[Any]) -> Any:
        if isinstance(self.tokens, np.ndarray):
            return array
        import torch

        return torch.from_numpy(array)


def _leaf_paths(parents: list[int]) -> list[list[int]]:
    paths: list[list[int]] = []
    for node, parent in enumerate(parents):
        paths.append([*paths[parent], node] if node else [0])
    return [path for node, path in enumerate(paths) if node not in parents[1:]]
