r"""Priority layer verification of given drafts, at any vocabulary size: the layer lift of the priority coupling.

:mod:`specproof.theory.trees.layers` states the lift and proves it for any one-step rule; here the rule is
:mod:`specproof.theory.trees.layer_step`, for many drafted trees of one shape at a time. A node of weight w in a layer
of weight W has the capacity c = w/W. What it rejects, :math:`r_v(x) = c [W q(x) - m(x)]_+`, is found in one pass over
the vocabulary, after a sort and a tiling where the node has several drafts; what is accepted of given drafts is read
off the sets of those tokens alone. No array has more than V entries for each node.

Weights are clamped so that no rounding makes them wrong in kind: a layer weighs at most 1, nothing rejected is
negative, and a layer stops with a probability in [0, 1]. A layer of weight 1 that rejects nothing is come to with
probability 0, by rounding alone: there the call stops, and the target goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.theory.arrays import in_one_layout
from specproof.theory.display import one_line
from specproof.theory.distribution import Array, as_distribution
from specproof.theory.errors import InvalidInput, first_entry
from specproof.theory.trees.layer_step import one_step
from specproof.theory.trees.layer_tree import LayerTree, as_tree
from specproof.theory.verifiers.priority.coupling import as_tolerance


class LayerNodes(NamedTuple):
    """The nodes of one layer that have weight, of all trees, ordered by tree."""

    tree: NDArray[np.int64]
    """Which tree each node is in, shape (M,)."""
    draft: NDArray[np.int64]
    """The first of the drafts that are the node, or -1 for the root, shape (M,)."""
    rejected: Array
    """r_v(x), shape (M, V): x is emitted after v with this probability, given the drafts down to v's layer."""


@dataclass(frozen=True, eq=False, repr=False)
class PriorityLayers:
    """What priority layer verification makes of drafted trees of one shape.

    Attributes
    ----------
    weights : array, shape (n, L + 1)
        W_j, the probability that depth j is accepted or passed, given the drafts to depth j; 1 at the root.
    masses : array, shape (n, L + 1)
        r_j: a call ends at depth j with this probability, given the drafts to depth j.
    nodes : tuple of LayerNodes
        What is emitted at each depth.

    Examples
    --------
    Two sequences of one draft each: for one position it is the priority coupling.

    >>> from specproof import priority_layers
    >>> rows = [[0.5, 0.5]], [[0.25, 0.75], [1.0, 0.0], [0.0, 1.0]]
    >>> made = priority_layers(*rows, drafts=[0, 1], tree=[-1, -1])
    >>> made.weights.tolist(), made.masses.tolist(), made.accepted.tolist()
    ([[1.0, 1.0]], [[0.0, 1.0]], [[0.0, 1.0]])
    """

    weights: Array
    masses: Array
    nodes: tuple[LayerNodes, ...]

    __repr__ = one_line

    @property
    def stopping(self) -> Array:
        """The probability to stop at each depth once all deeper layers were passed, shape (n, L + 1)."""
        below = self.masses + 1.0 - self.weights
        chance: Array = np.divide(self.masses, below, out=np.ones_like(below), where=below > 0)
        chance[:, 0] = 1.0
        return chance

    @property
    def accepted(self) -> Array:
        """The law of the accepted length given the drafts, shape (n, L + 1)."""
        passed = np.cumprod(1.0 - self.stopping[:, :0:-1], axis=1)[:, ::-1]
        law = self.stopping
        law[:, :-1] *= passed
        return law

    def emitted(self, tree: int) -> Iterator[tuple[int, int, float]]:
        """The law of what ends the call for given drafts: the node's first draft or -1, the token, the probability."""
        for depth, chance in enumerate(self.accepted[tree]):
            drafts, rows = self.at(tree, depth)
            total = rows.sum()
            for draft, row in zip(drafts, rows, strict=True):
                for token in np.flatnonzero(row) if chance > 0 else ():
                    yield int(draft), int(token), float(chance * row[token] / total)

    def at(self, tree: int, depth: int) -> tuple[NDArray[np.int64], Array]:
        """The nodes of one tree at one depth by their first drafts, and what they reject, shape (m, V)."""
        layer = self.nodes[depth]
        own = slice(*np.searchsorted(layer.tree, [tree, tree + 1]))
        return layer.draft[own], layer.rejected[own]


def priority_layers(
    draft: ArrayLike, target: ArrayLike, drafts: ArrayLike, tree: LayerTree | Sequence[int], tolerance: float = 0.0
) -> PriorityLayers:
    """Weigh drafted trees of one shape, and find at which layers they are left, with what.

    Parameters
    ----------
    draft : array_like, shape (n, R, V) or (R, V)
        The distributions that the drafts were drawn from: after the root, and after each draft that is followed by
        others. Row i + 1 belongs to draft i, and R is at least ``tree.parent_rows``.
    target : array_like, shape (n, N + 1, V) or (N + 1, V)
        The target's distributions after the root and after each of the N drafts.
    drafts : array_like of int, shape (n, N) or (N,)
        The drafted tokens of each tree.
    tree : LayerTree or sequence of int
        Which draft each draft follows.
    tolerance : float
        As for :class:`~specproof.theory.verifiers.priority.PriorityCoupling`.

    Raises
    ------
    InvalidInput
        If a row is not a distribution, rows are missing, the shapes do not go together, a draft is not a token or has
        draft probability 0, the tree is none, or the tolerance is not a number in [0, 1e-3].

    Examples
    --------
    >>> from specproof import LayerTree, priority_layers
    >>> rows = [[0.5, 0.5]] * 3, [[0.25, 0.75]] * 5
    >>> priority_layers(*rows, drafts=[0, 1, 1, 0], tree=LayerTree.sequences(2, 2)).weights.tolist()
    [[1.0, 1.0, 0.5]]
    """
    shape = as_tree(tree)
    proposal, law = (_as_trees(as_distribution(rows, name)) for rows, name in ((draft, "draft"), (target, "target")))
    tokens = _as_drafts(drafts, len(shape.parents))
    _check_shapes(proposal, law, tokens, shape)
    parents = np.array(shape.parents) + 1
    drawn = np.take_along_axis(proposal[:, parents], tokens[..., np.newaxis], axis=-1)[..., 0]
    if not (drawn > 0).all():
        where, _ = first_entry(drawn == 0, "drafts")
        raise InvalidInput(f"{where} has draft probability 0: pass the distributions that the drafts were drawn from")
    return weigh_layers(proposal, law, tokens, shape, as_tolerance(tolerance))


def weigh_layers(
    draft: Array, target: Array, drafts: NDArray[np.int64], tree: LayerTree, tolerance: float = 0.0
) -> PriorityLayers:
    """Do what :func:`priority_layers` does with trusted arrays.

    A row of ``draft`` may be all zeros: its node ends the tree, whatever is drafted after it. It may be so only where
    the drafts down to that node say so.
    """
    count, layers = len(drafts), tree.layers()
    weights, masses = np.zeros((count, len(layers))), np.zeros((count, len(layers)))
    layer = _Layer(layers[0], np.zeros((count, 1), dtype=np.int64), np.ones((count, 1)))
    found = []
    for depth, following in enumerate([*layers[1:], layers[0][:0]]):
        weights[:, depth] = np.minimum(layer.weight.sum(axis=1), 1.0)
        trees, places = np.nonzero(layer.weight)
        rows, total = layer.drafts[places] + 1, weights[trees, depth]
        nodes = _Nodes(trees, places, rows, layer.weight[trees, places] / total)
        rejected = target[trees, rows]
        rejected *= total[:, np.newaxis]
        layer = _accept(nodes, draft, rejected, drafts, _follow(layer, drafts, following, tree), tolerance)
        rejected *= nodes.capacity[:, np.newaxis]
        masses[:, depth] = np.bincount(trees, rejected.sum(axis=1), count)
        never = ((masses[:, depth] <= 0.0) & (weights[:, depth] >= 1.0))[trees]
        rejected[never] = nodes.capacity[never, np.newaxis] * target[trees[never], rows[never]]
        found.append(LayerNodes(trees, rows - 1, rejected))
    return PriorityLayers(weights, masses, tuple(found))


class _Layer(NamedTuple):
    """The drafts of one layer in n trees."""

    drafts: NDArray[np.int64]
    """Their numbers, shape (M,)."""
    leader: NDArray[np.int64]
    """The place of the first draft that is the same node, shape (n, M)."""
    weight: Array
    """The weight of each node, at its first draft, shape (n, M)."""


class _Nodes(NamedTuple):
    """The nodes of a layer that have weight, shape (R,) each."""

    tree: NDArray[np.int64]
    place: NDArray[np.int64]
    row: NDArray[np.int64]
    capacity: Array


class _Families(NamedTuple):
    """What is drafted after the nodes of a layer."""

    layer: _Layer
    """The next layer, without weight as yet."""
    parent: NDArray[np.int64]
    """The place in the layer above of the node that each draft follows, shape (n, M)."""


def _follow(layer: _Layer, drafts: NDArray[np.int64], following: NDArray[np.int64], tree: LayerTree) -> _Families:
    """Find the node that each draft of the next layer follows, and which of them are the same node."""
    up = np.searchsorted(layer.drafts, np.array(tree.parents)[following])
    parent = layer.leader[:, up]
    node = parent * (drafts.max(initial=0) + 1) + drafts[:, following]
    order = np.argsort(node, axis=1, kind="stable")
    ranked = np.take_along_axis(node, order, axis=1)
    begins = np.where(ranked[:, 1:] != ranked[:, :-1], np.arange(1, max(following.size, 1)), 0)
    first = np.maximum.accumulate(np.pad(begins, ((0, 0), (min(following.size, 1), 0))), axis=1)
    leader = np.empty_like(order)
    np.put_along_axis(leader, order, np.take_along_axis(order, first, axis=1), axis=1)
    return _Families(_Layer(following, leader, np.zeros(parent.shape)), parent)


def _accept(
    nodes: _Nodes, draft: Array, measure: Array, drafts: NDArray[np.int64], families: _Families, tolerance: float
) -> _Layer:
    """Weigh the next layer, and leave of the measures, shape (R, V), what is rejected."""
    layer, parent = families
    number = np.full((len(drafts), parent.max(initial=0) + nodes.place.max(initial=0) + 1), -1)
    number[nodes.tree, nodes.place] = np.arange(nodes.tree.size)
    family = np.take_along_axis(number, parent, axis=1).reshape(-1)
    in_order = np.argsort(family, kind="stable")
    sizes = np.bincount(family + 1, minlength=nodes.tree.size + 1)
    first = np.cumsum(sizes)[:-1]
    for size in np.unique(sizes[1:]):
        if size == 0:
            continue
        members = np.flatnonzero(sizes[1:] == size)
        trees, places = np.divmod(in_order[first[members, np.newaxis] + np.arange(size)], layer.drafts.size)
        rows = draft[nodes.tree[members], nodes.row[members]]
        left, chances = one_step(rows, measure[members], drafts[trees, layer.drafts[places]], tolerance)
        measure[members] = left
        np.add.at(layer.weight, (trees, layer.leader[trees, places]), nodes.capacity[members, np.newaxis] * chances)
    return layer


def _as_trees(rows: Array) -> Array:
    return in_one_layout(rows[np.newaxis] if rows.ndim == 2 else rows, np.float64)


def _as_drafts(drafts: ArrayLike, width: int) -> NDArray[np.int64]:
    try:
        tokens = np.asarray(drafts)
    except ValueError as error:
        raise InvalidInput(f"drafts is not an array of integers ({error}): give each tree {width}") from None
    if tokens.dtype.kind not in "iu" or tokens.ndim not in (1, 2) or tokens.shape[-1] != width:
        raise InvalidInput(
            f"drafts has shape {tokens.shape} and dtype {tokens.dtype}: give integers of shape (n, {width}), "
            "one for each draft of the tree"
        )
    return in_one_layout(tokens.reshape(-1, width), np.int64)


def _check_shapes(draft: Array, target: Array, drafts: NDArray[np.int64], tree: LayerTree) -> None:
    count, width = drafts.shape
    for name, rows, least in (("draft", draft, tree.parent_rows), ("target", target, width + 1)):
        if rows.ndim != 3 or len(rows) != count or rows.shape[2] != target.shape[-1]:
            raise InvalidInput(
                f"{name} has shape {rows.shape}: beside {count} trees it must be ({count}, rows, {target.shape[-1]})"
            )
        if rows.shape[1] < least:
            raise InvalidInput(
                f"{name} has {rows.shape[1]} rows a tree, and {least} are needed: the root's, and one for each draft "
                f"up to {least - 2}"
            )
    outside = (drafts < 0) | (drafts >= target.shape[2])
    if outside.any():
        where, index = first_entry(outside, "drafts")
        raise InvalidInput(f"{where} is {drafts[index]}: it must be a token, in 0..{target.shape[2] - 1}")
