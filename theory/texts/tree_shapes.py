r"""Reach weights of trees of any shape, as far as a text tells them.

A node of a tree is its place: which child to take at each depth, counted from 0. Recursive rejection tries the children
of a node one after the other, each the root of a branch of its own, and what it does with child j does not depend on
how many follow. So along a text :math:`x` child j of a node at depth i is entered with a chance :math:`c_j(x_{s+i})`
that no shape changes, place :math:`(j_1, ..., j_d)` is reached with probability :math:`\prod_i c_{j_i}(x_{s+i})`, and
:math:`v_l` is the sum over the places of depth l. In a certain tree child j of a node is the draft's token of rank j
there, and c_j is 1 if the text goes on with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specproof.theory.distribution import Array
from specproof.theory.trees.shapes import Place


def by_shape(chances: Array, places: Sequence[Place]) -> Array:
    """Reach weights of a tree of any shape, shape (T, L + 1).

    Parameters
    ----------
    chances : array, shape (C, T)
        The chance, given the text, that child j of a node is entered and is the text's token; trusted.
    places : sequence of tuples of int
        The nodes, each with the node above it and all of them below C.

    Examples
    --------
    A first child with a child of its own, and a second child:

    >>> by_shape(np.array([[0.5, 0.5], [0.25, 0.0]]), [(0,), (1,), (0, 0)]).tolist()
    [[1.0, 0.75, 0.25], [1.0, 0.5, 0.0]]
    """
    tokens = chances.shape[1]
    reach = np.zeros((tokens, max(map(len, places)) + 1))
    reach[:, 0] = 1.0
    reached: dict[Place, Array] = {(): reach[:, 0]}
    for place in sorted(places, key=len):
        later = len(place) - 1
        entered = np.zeros(tokens)
        entered[: max(tokens - later, 0)] = chances[place[-1], later:]
        reached[place] = reached[place[:-1]] * entered
        reach[:, len(place)] += reached[place]
    return np.minimum(reach, 1.0)
