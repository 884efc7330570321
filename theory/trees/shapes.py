r"""Trees by design: the shape that is accepted most, for certain trees and for trees of independent siblings.

*Certain trees.* If a node of a certain tree is accepted the output passes it, so that no lossless rule accepts more
than the sum of the target's probabilities of its nodes, and the target's own walk attains it. The best tree of N nodes
holds the N likeliest prefixes: they are a tree, as no prefix is less likely than what goes on from it.

*Independent siblings.* Recursive rejection tries the children of a node one after the other, each the root of a branch
of its own, which is entered if it is accepted. Whether child j is accepted, and as which token, does not depend on how
many follow it. So node :math:`(j_1, ..., j_d)` of the infinite tree is accepted with a probability
:math:`m(j_1, ..., j_d)` that does not depend on the shape, and :math:`E[\tau]` is its sum over the shape. A child has
no more than its parent, and of siblings the later ones have less: a residual
:math:`q' \propto [q - p]_+` has :math:`\sum_x \min(q', p) \le p(q > p) \le \sum_x \min(q, p)`. *Hence the N nodes of
greatest m are a shape, and the best one*, with acceptances that depend on the context in any way. If they do not it is
what the dynamic program of Sequoia finds [1]_.

References
----------
.. [1] Chen et al. 2024, Sequoia, arXiv 2402.12374, Section 4.1.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from specproof.theory.chain import Chain, check_model, check_same_size
from specproof.theory.display import shown
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.trees.branches import likeliest_prefixes
from specproof.theory.trees.draft_trees import Node, laws_of, next_token_law

Place = tuple[int, ...]
"""A node of a shape: which child to take at each depth, counted from 0 in the order of drafting."""


class Designed(NamedTuple):
    """The best shape of so many nodes, the node that is accepted most first."""

    nodes: list[Node]
    """The prefixes of a certain tree, or the places of a tree of independent siblings."""
    chances: list[float]
    """Each is accepted with this probability; their sum is E[tau]."""


def best_certain_tree(target: Chain, nodes: int, length: int) -> Designed:
    """The certain tree of N nodes, at most L deep, of which most is accepted; fewer nodes where no more can come.

    Parameters
    ----------
    target : MarkovChain or TabularModel
        With a horizon of at least L.
    nodes, length : int
        N and L, each at least 1.

    Raises
    ------
    InvalidInput
        If the target is no model, a number is not an integer >= 1, or the horizon is below L.

    Examples
    --------
    >>> from specproof import MarkovChain, best_certain_tree
    >>> best_certain_tree(MarkovChain([0.75, 0.25], [[0.5, 0.5]] * 2, 2), nodes=3, length=2)
    Designed(nodes=[(0,), (0, 0), (0, 1)], chances=[0.75, 0.375, 0.375])
    """
    check_model(target, "target")
    count, depth = positive_integer(nodes, "nodes"), positive_integer(length, "length")
    if target.horizon < depth:
        raise InvalidInput(f"length is {shown(depth)} but target has horizon {target.horizon}: take a longer horizon")
    chosen = likeliest_prefixes(laws_of(target), count, depth)
    chances = [
        float(np.prod([next_token_law(target, way[:level])[token] for level, token in enumerate(way)]))
        for way in chosen
    ]
    return Designed(chosen, chances)


def best_sibling_tree(draft: Chain, target: Chain, nodes: int, length: int) -> Designed:
    """The shape of N nodes, at most L deep, of which recursive rejection of independent siblings accepts most.

    Parameters
    ----------
    draft, target : MarkovChain or TabularModel
        Both of one kind, vocabulary and horizon, which is at least L.
    nodes, length : int
        N and L, each at least 1.

    Raises
    ------
    InvalidInput
        If the models differ in kind, size or horizon, a number is not an integer >= 1, or the horizon is below L.

    Examples
    --------
    >>> from specproof import MarkovChain, best_sibling_tree
    >>> draft, target = (MarkovChain(law, [law] * 2, 2) for law in ([0.5, 0.5], [0.25, 0.75]))
    >>> best_sibling_tree(draft, target, nodes=3, length=2)
    Designed(nodes=[(0,), (0, 0), (1,)], chances=[0.75, 0.5625, 0.125])
    """
    check_same_size(draft, target)
    count, depth = positive_integer(nodes, "nodes"), positive_integer(length, "length")
    if target.horizon < depth:
        raise InvalidInput(f"length is {shown(depth)} but the models have horizon {target.horizon}: take a longer one")
    chosen = Designed([], [])
    waiting: list[tuple[float, int, Place, dict[Node, float]]] = []
    start: dict[Node, float] = {(): 1.0}
    _wait(waiting, (0,), child_measure(draft, target, start, 0))
    while waiting and len(chosen.nodes) < count:
        loss, _, place, measure = heapq.heappop(waiting)
        chosen.nodes.append(place)
        chosen.chances.append(-loss)
        above = start
        for child in place[:-1]:
            above = child_measure(draft, target, above, child)
        _wait(waiting, (*place[:-1], place[-1] + 1), child_measure(draft, target, above, place[-1] + 1))
        if len(place) < depth:
            _wait(waiting, (*place, 0), child_measure(draft, target, measure, 0))
    return chosen


def child_measure(draft: Chain, target: Chain, measure: dict[Node, float], child: int) -> dict[Node, float]:
    """The probability to come to each prefix through a child, from that of the prefixes at its parent.

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> draft, target = (MarkovChain(law, [law] * 2, 2) for law in ([0.5, 0.5], [0.25, 0.75]))
    >>> child_measure(draft, target, {(): 1.0}, 0), child_measure(draft, target, {(): 1.0}, 1)
    ({(0,): 0.25, (1,): 0.5}, {(1,): 0.125})
    """
    found: dict[Node, float] = {}
    for way, mass in measure.items():
        accepted = _accepted(next_token_law(draft, way), next_token_law(target, way), child)
        for token in map(int, np.flatnonzero(accepted)):
            found[*way, token] = mass * float(accepted[token])
    return found


def _accepted(draft: Array, target: Array, child: int) -> Array:
    """The probability that this child is accepted and is each token: min(u, |u| p) with u the residual before it."""
    weights, offered = target, draft
    for _ in range(child):
        weights = np.maximum(weights - offered, 0.0)
        offered = weights.sum() * draft
    accepted: Array = np.minimum(weights, offered)
    return accepted


def _wait(waiting: list[tuple[float, int, Place, dict[Node, float]]], place: Place, measure: dict[Node, float]) -> None:
    """Let a node wait to be chosen unless it is never accepted; of equal ones the shallower and earlier come first."""
    mass = sum(measure.values())
    if mass > 0:
        heapq.heappush(waiting, (-mass, len(place), place, measure))
