"""Trees by design: of all widths, and of all shapes, that a budget of nodes allows, those accepted most in a trace."""

from __future__ import annotations

import heapq

import numpy as np

from specproof.simulations.traces.configuration import CERTAIN, DISTINCT, Configuration, chance_of_each, child_chances
from specproof.simulations.traces.trace import Trace
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.trees.shapes import Place


def best_widths(
    trace: Trace, rule: str, nodes: int, length: int, draft_temperature: float | None = None
) -> tuple[int, ...]:
    """The widths by depth of the tree of at most N nodes and L depths of which most is accepted.

    What is accepted is averaged over all starts in the texts of the trace from which L tokens follow, each a product of
    chances along the text, so that it depends on the context as it does there. All widths are tried, of no more
    children than the trace holds drafts at a position.

    Parameters
    ----------
    trace : Trace
    rule : str
        A rule of trees, see :class:`~specproof.traces.Configuration`.
    nodes, length : int
        N, the drafted tokens, and L, each at least 1.
    draft_temperature : float, optional
        The trace's first by default.

    Raises
    ------
    InvalidInput
        If a number is not an integer >= 1, the rule is none of trees, the trace does not hold what it needs, or no text
        has L tokens.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.traces import best_widths, capture_arrays
    >>> target = np.log([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5], [0.5, 0.5]])
    >>> trace = capture_arrays(np.log([[0.75, 0.25]] * 4), target, [0, 1, 1, 0], num_drafts=2)
    >>> best_widths(trace, "certain", nodes=4, length=2)
    (2, 1)
    """
    budget, levels = positive_integer(nodes, "nodes"), positive_integer(length, "length")
    most = _most_children(trace, rule, budget)
    Configuration(rule, 1, 1, (most,))  # refuses what is no rule of trees
    chances = _chances(trace, rule, most, levels, draft_temperature)
    best: tuple[float, tuple[int, ...]] = (-1.0, ())

    def extend(widths: tuple[int, ...], leaves: int, left: int, reached: Array, accepted: float) -> None:
        nonlocal best
        if widths and accepted > best[0]:
            best = accepted, widths
        if len(widths) == levels:
            return
        for width in range(1, min(most, left // leaves) + 1):
            further = reached * chances[len(widths), width - 1]
            extend((*widths, width), leaves * width, left - leaves * width, further, accepted + float(further.mean()))

    extend((), 1, budget, np.ones(chances.shape[-1]), 0.0)
    return best[1]


def best_shape(
    trace: Trace, rule: str, nodes: int, length: int, draft_temperature: float | None = None
) -> tuple[Place, ...]:
    """The tree of at most N nodes and L depths of which most is accepted, whatever its shape: its nodes by depth.

    What is accepted of a node is a mean over starts in the texts as for :func:`best_widths`, and does not depend on the
    other nodes, so that those of which most is accepted make the best tree: of a node no more is accepted than of the
    one above it. In a certain tree the children are among the draft's N likeliest tokens. Of independent siblings the
    later ones are accepted less on average over texts; they are taken in their order, and were a later one accepted
    more often in these texts, that might be missed.

    Parameters
    ----------
    trace : Trace
    rule : str
        ``recursive`` or ``certain``.
    nodes, length : int
        N, the drafted tokens, and L, each at least 1.
    draft_temperature : float, optional
        The trace's first by default.

    Raises
    ------
    InvalidInput
        As for :func:`best_widths`, or if the rule is for no trees of any shape.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.traces import best_shape, capture_arrays
    >>> target = np.log([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5], [0.5, 0.5]])
    >>> trace = capture_arrays(np.log([[0.75, 0.25]] * 4), target, [0, 1, 1, 0], num_drafts=2)
    >>> best_shape(trace, "certain", nodes=3, length=2)
    ((0,), (1,), (0, 1))
    """
    budget, levels = positive_integer(nodes, "nodes"), positive_integer(length, "length")
    Configuration(rule, 1, 1, places=((0,),))  # refuses a rule that is for no trees of any shape
    most = _most_children(trace, rule, budget)
    chances = np.array([chance_of_each(one_of) for one_of in _chances(trace, rule, most, levels, draft_temperature)])
    chosen: list[Place] = []
    waiting: list[tuple[float, int, Place, Array]] = []

    def wait(place: Place, above: Array) -> None:
        if place[-1] < most and len(place) <= levels:
            reached = above * chances[len(place) - 1, place[-1]]
            heapq.heappush(waiting, (-float(reached.mean()), len(place), place, reached))

    def wait_after(place: Place, reached: Array) -> None:
        for child in range(most if rule == CERTAIN else 1):
            wait((*place, child), reached)

    above: dict[Place, Array] = {(): np.ones(chances.shape[-1])}
    wait_after((), above[()])
    while waiting and len(chosen) < budget:
        _, _, place, above[place] = heapq.heappop(waiting)
        chosen.append(place)
        wait_after(place, above[place])
        if rule != CERTAIN:
            wait((*place[:-1], place[-1] + 1), above[place[:-1]])
    return tuple(sorted(chosen, key=lambda place: (len(place), place)))


def refuse_many_children(trace: Trace, configuration: Configuration) -> None:
    """Refuse a tree with more distinct children of a node than the trace's vocabulary has tokens, if that is known.

    Raises
    ------
    InvalidInput
        If it is such a tree.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.traces import capture_arrays
    >>> trace = capture_arrays(np.log([[0.75, 0.25]]), np.log([[0.5, 0.5]]), [0], num_drafts=2)
    >>> refuse_many_children(trace, Configuration("certain", length=1, widths=(2,)))
    """
    tokens = trace.header.vocabulary
    if tokens is None or configuration.rule not in (CERTAIN, DISTINCT):
        return
    remedy = f"and {tokens} tokens make no more distinct children of a node: give at most {tokens}"
    for depth, width in enumerate(configuration.widths):
        if width > tokens:
            raise InvalidInput(f"widths[{depth}] is {width} in the tree {configuration.shape}, {remedy}")
    for index, place in enumerate(configuration.places):
        if place[-1] >= tokens:
            raise InvalidInput(f"places[{index}] is {place}, with the child {place[-1]} counted from 0, {remedy}")


def _most_children(trace: Trace, rule: str, budget: int) -> int:
    """The most children of a node: as many as drafts are held at a position, or of certain ones as there are tokens."""
    most = budget if rule == CERTAIN else min(budget, max(trace.header.num_drafts, 1))
    return min(most, trace.header.vocabulary or most) if rule in (CERTAIN, DISTINCT) else most


def _chances(trace: Trace, rule: str, most: int, length: int, draft_temperature: float | None) -> Array:
    """The chance at each depth with each number of children, from every start; shape (L, most, starts)."""
    parts = []
    for text, rows in trace.texts(draft_temperature):
        if (starts := text.tokens - length + 1) > 0:
            at = np.array([child_chances(rows, rule, width) for width in range(1, most + 1)])
            parts.append(np.array([at[:, depth : depth + starts] for depth in range(length)]))
    if not parts:
        raise InvalidInput(f"length is {length}, and no text has so many tokens: ask for shorter drafts")
    return np.concatenate(parts, axis=-1)
