"""Trees by design: of all widths that a budget of nodes allows, those that a trace says are accepted most."""

from __future__ import annotations

import numpy as np

from specproof.simulations.traces.configuration import CERTAIN, Configuration, child_chances
from specproof.simulations.traces.trace import Trace
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer


def best_widths(
    trace: Trace, rule: str, nodes: int, length: int, draft_temperature: float | None = None
) -> tuple[int, ...]:
    """The widths by depth of the tree of at most N nodes and L depths of which most is accepted.

    What is accepted is averaged over all starts in the texts of the trace from which L tokens follow, each a product of
    chances along the text, so that it depends on the context as it does there. All widths are tried that do not grow
    with depth, and no more children than the trace holds drafts at a position.

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
    most = min(budget, budget if rule == CERTAIN else max(trace.header.num_drafts, 1))
    Configuration(rule, 1, 1, (most,))  # refuses what is no rule of trees
    chances = _chances(trace, rule, most, levels, draft_temperature)
    best: tuple[float, tuple[int, ...]] = (-1.0, ())

    def extend(widths: tuple[int, ...], leaves: int, left: int, reached: Array, accepted: float) -> None:
        nonlocal best
        if widths and accepted > best[0]:
            best = accepted, widths
        if len(widths) == levels:
            return
        for width in range(1, min((*widths[-1:], most, left // leaves)) + 1):
            further = reached * chances[len(widths), width - 1]
            extend((*widths, width), leaves * width, left - leaves * width, further, accepted + float(further.mean()))

    extend((), 1, budget, np.ones(chances.shape[-1]), 0.0)
    return best[1]


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
