"""The shape of a tree whose siblings are independent drafts: which draft each draft follows."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from specproof.theory.display import one_line, shown
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer

ROOT = -1
"""What the drafts of the first layer follow."""


@dataclass(frozen=True, repr=False)
class LayerTree:
    """Which draft each draft follows, fixed before any of them is drawn.

    The drafts that follow one draft are independent draws from one distribution, and so may be equal: equal drafts
    after one node are one node of what was drafted, and what follows them follows that.

    Attributes
    ----------
    parents : tuple of int
        For each draft the number of the one it follows, or -1 for the root. Drafts are numbered layer by layer.

    Raises
    ------
    InvalidInput
        If there is no draft, a parent is no integer, comes after its child or is below -1, or a draft is in a layer
        above that of the draft before it.

    Examples
    --------
    Two drafts after the root, the first of which is followed by two more:

    >>> from specproof import LayerTree
    >>> LayerTree((-1, -1, 0, 0)).depths
    (1, 1, 2, 2)
    """

    parents: tuple[int, ...]

    __repr__ = one_line

    def __post_init__(self) -> None:
        """Refuse what is no tree in order."""
        try:
            parents = tuple(operator.index(parent) for parent in self.parents)
        except TypeError:
            raise InvalidInput(f"parents is {shown(self.parents)}: give an integer for each draft") from None
        object.__setattr__(self, "parents", parents)
        if not parents:
            raise InvalidInput("parents is empty, a tree of depth 0: give at least one draft, such as (-1,)")
        for draft, parent in enumerate(parents):
            if not ROOT <= parent < draft:
                raise InvalidInput(
                    f"parents[{draft}] is {parent}: it must be a draft before {draft}, from 0, or -1 for the root"
                )
        for draft, (before, depth) in enumerate(pairwise(self.depths), start=1):
            if depth < before:
                raise InvalidInput(
                    f"draft {draft} is in layer {depth} and the one before it in layer {before}: "
                    "number the drafts layer by layer"
                )

    @classmethod
    def sequences(cls, num_drafts: int, length: int) -> LayerTree:
        """K independent sequences of L drafts: draft K(l - 1) + i is the l-th of sequence i.

        Raises
        ------
        InvalidInput
            If a number is not an integer >= 1.

        Examples
        --------
        >>> from specproof import LayerTree
        >>> LayerTree.sequences(2, 3).parents
        (-1, -1, 0, 1, 2, 3)
        """
        count, levels = one_num_drafts(num_drafts), positive_integer(length, "length")
        return cls((ROOT,) * count + tuple(range(count * (levels - 1))))

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """The layer of each draft, from 1."""
        depths: list[int] = []
        for parent in self.parents:
            depths.append(1 if parent == ROOT else depths[parent] + 1)
        return tuple(depths)

    @property
    def length(self) -> int:
        """L, the depth of the last layer."""
        return self.depths[-1]

    @property
    def parent_rows(self) -> int:
        """Rows of distributions, the root's first, up to that of the last draft that is followed by another."""
        return max(self.parents) + 2

    def layers(self) -> list[NDArray[np.int64]]:
        """The drafts of each layer, and before them that of the root alone, -1."""
        depths = np.array((0, *self.depths))
        return [np.flatnonzero(depths == depth) - 1 for depth in range(self.length + 1)]


def as_tree(tree: LayerTree | Sequence[int]) -> LayerTree:
    """Take a tree, or the parents that make one.

    Raises
    ------
    InvalidInput
        If it is neither, or as :class:`LayerTree`.
    """
    if isinstance(tree, LayerTree):
        return tree
    if isinstance(tree, str) or not isinstance(tree, Sequence):
        raise InvalidInput(f"tree is a {type(tree).__name__}: give a LayerTree, such as LayerTree.sequences(4, 2)")
    try:
        return LayerTree(tuple(tree))
    except InvalidInput as error:
        raise InvalidInput(f"tree, as its parents: {error}") from None
