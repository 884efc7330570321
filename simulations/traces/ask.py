"""From what a user asks for to the configurations that a trace prices."""

from __future__ import annotations

from collections.abc import Sequence

from specproof.simulations.traces.configuration import (
    ARGMAX,
    BLOCK,
    CERTAIN,
    DISTINCT,
    MATCH,
    OF_ANY_SHAPE,
    ONE_DRAFT,
    SIMPLE,
    Configuration,
)
from specproof.simulations.traces.trace import ACCEPTED_DISTINCT, DRAFTED, Trace
from specproof.simulations.traces.tree_design import best_shape, best_widths
from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput

USUAL_COUNTS, USUAL_LENGTHS = (1, 2, 4, 8), (1, 2, 3, 4, 6, 8)
"""The numbers of draft sequences and their lengths that are priced unless others are asked for."""


def asked_configurations(
    trace: Trace,
    *,
    rules: Sequence[str] | None = None,
    num_drafts: Sequence[int] | None = None,
    lengths: Sequence[int] | None = None,
    trees: Sequence[Sequence[int]] = (),
    tree_nodes: Sequence[int] = (),
    draft_temperatures: Sequence[float] | None = None,
) -> list[Configuration]:
    """Combine rules, numbers, lengths and trees into configurations.

    Every rule takes every length. The rules of several drafts take every number above 1, where one draft is the rule of
    that name; they and ``certain`` take every tree.

    Parameters
    ----------
    trace : Trace
    rules : sequence of str, optional
        By default all that the trace holds what they need for.
    num_drafts, lengths : sequence of int, optional
        By default those of ``USUAL_COUNTS`` and ``USUAL_LENGTHS`` that the trace and its texts are long enough for.
    trees : sequence of sequences of int
        Children of each node by depth.
    tree_nodes : sequence of int
        For each of these numbers of drafted tokens, each rule and each length trees are designed of which most is
        accepted: the best widths, and for ``recursive`` and ``certain`` the best shape, see
        :mod:`specproof.simulations.traces.tree_design`.
    draft_temperatures : sequence of float, optional
        By default all that the trace holds.

    Raises
    ------
    InvalidInput
        If a rule is unknown, a tree has no depth, or nothing is left to price.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.traces import asked_configurations, capture_arrays
    >>> target = np.log([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5], [0.5, 0.5]])
    >>> draft = np.log([[0.75, 0.25]] * 4)
    >>> trace = capture_arrays(draft, target, [0, 1, 1, 0], num_drafts=2)
    >>> asked = asked_configurations(trace, rules=["single", "priority"], lengths=[1, 2])
    >>> [(each.rule, each.shape) for each in asked]
    [('single', 'L = 1'), ('single', 'L = 2'), ('priority', 'K = 2, L = 1'), ('priority', 'K = 2, L = 2')]
    """
    possible = available_rules(trace)
    wanted = list(rules) if rules is not None else possible
    for index, tree in enumerate(trees):
        if len(tree) == 0:
            raise InvalidInput(
                f"trees[{index}] is empty, a tree of depth 0: give the children by depth, as in (4, 2, 1)"
            )
    for rule in wanted:
        if rule not in possible:
            raise InvalidInput(f"rule is {shown(rule)}: this trace prices {', '.join(possible)}")
    numbers = _held(USUAL_COUNTS, trace.header.num_drafts) if num_drafts is None else num_drafts
    shortest = min((text.tokens for text in trace.header.texts if not text.ended), default=max(USUAL_LENGTHS))
    levels = _held(USUAL_LENGTHS, shortest) if lengths is None else lengths
    asked: list[Configuration] = []
    for temperature in draft_temperatures or trace.header.draft_temperatures:
        for rule in wanted:
            counts = [1] if rule in SIMPLE else [count for count in numbers if count > 1]
            if rule != CERTAIN:
                asked += [Configuration(rule, count, length, (), temperature) for count in counts for length in levels]
            if rule not in SIMPLE:
                designed = [
                    best_widths(trace, rule, nodes, most, temperature) for nodes in tree_nodes for most in levels
                ]
                for widths in dict.fromkeys((*map(tuple, trees), *designed)):
                    asked.append(Configuration(rule, 1, len(widths), widths, temperature))
            if rule in OF_ANY_SHAPE:
                shapes = [best_shape(trace, rule, nodes, most, temperature) for nodes in tree_nodes for most in levels]
                for places in dict.fromkeys(shapes):
                    asked.append(Configuration(rule, 1, len(places[-1]), (), temperature, places))
    if not asked:
        raise InvalidInput(
            "nothing is left to price: ask for a number of drafts above 1, for a tree, or for more rules"
        )
    return asked


def _held(usual: Sequence[int], most: int) -> list[int]:
    return [number for number in usual if number <= most]


def available_rules(trace: Trace) -> list[str]:
    """Name the rules that a trace can price, those of one draft first.

    A draft that is looked up is certain: every rule accepts it where it is the text's next token, so there is only one.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.traces import available_rules, capture_arrays
    >>> trace = capture_arrays(np.log([[0.75, 0.25]]), np.log([[0.5, 0.5]]), [0], num_drafts=0)
    >>> available_rules(trace)
    ['single', 'block', 'match', 'argmax', 'certain']
    """
    if DRAFTED in trace.table:
        return [ONE_DRAFT]
    ranked = bool((trace.table["draft_rank"] >= 0).all())
    several = [*trace.header.verifiers, *([DISTINCT] if ACCEPTED_DISTINCT in trace.table else [])]
    return [ONE_DRAFT, BLOCK, MATCH, *([ARGMAX, CERTAIN] if ranked else []), *several]
