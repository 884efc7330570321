"""Trees by design: the widths that accept most of all that a budget allows, by their exact reach weights."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from traced_chains import traced

from specproof.simulations.claims.trees.certain_optimum import Shape, certain_trees, shapes
from specproof.simulations.traces.ask import asked_configurations
from specproof.simulations.traces.capture_arrays import capture_arrays
from specproof.simulations.traces.configuration import Configuration, reach_weights
from specproof.simulations.traces.pricing import price
from specproof.simulations.traces.trace import Trace
from specproof.simulations.traces.tree_design import best_shape, best_widths
from specproof.theory.chain import random_markov_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.trees.shapes import Place

LENGTH, NODES = 3, 7
TREES = certain_trees(3, 2, 3)
"""Of the three likeliest tokens after each node: a tree of three nodes is looked for among these."""


@pytest.fixture(scope="module")
def trace() -> Trace:
    return traced(*random_markov_pair(4, 2, np.random.default_rng(5), stationary=True), texts=4, length=60)


def accepted(trace: Trace, rule: str, widths: tuple[int, ...]) -> float:
    return mean_accepted(trace, Configuration(rule, 1, len(widths), widths))


def mean_accepted(trace: Trace, asked: Configuration, length: int = LENGTH) -> float:
    """The mean accepted length over all starts from which so many tokens follow."""
    reach = [reach_weights(rows, asked)[: text.tokens - length + 1, 1:] for text, rows in trace.texts()]
    return float(np.concatenate(reach).sum(axis=1).mean())


@pytest.mark.parametrize("rule", ["certain", "kseq", "recursive_distinct"])
def test_no_other_widths_of_the_budget_accept_more(trace: Trace, rule: str) -> None:
    found = best_widths(trace, rule, NODES, LENGTH)
    most = NODES if rule == "certain" else trace.header.num_drafts
    others = [
        widths
        for length in range(1, LENGTH + 1)
        for widths in product(range(1, most + 1), repeat=length)
        if np.cumprod(widths).sum() <= NODES
    ]
    assert found in others
    values = {widths: accepted(trace, rule, widths) for widths in others}
    assert values[found] == pytest.approx(max(values.values()), abs=1e-12)
    assert min(values.values()) < values[found] - 0.1


def test_widths_may_grow_with_depth() -> None:
    """A draft that is sure of the first token and knows nothing of the second: one child, and then as many as fit."""
    rows = np.log([[0.98, 0.01, 0.01], [0.34, 0.33, 0.33]])
    trace = capture_arrays(rows, rows, [0, 2], num_drafts=3)
    assert best_widths(trace, "certain", 4, 2) == (1, 3)


def test_no_other_shape_of_the_budget_accepts_more(trace: Trace) -> None:
    found = best_shape(trace, "recursive", NODES, LENGTH)
    assert len(found) == NODES
    values = {places: accepted_of(trace, "recursive", places) for places in every_shape(trace)}
    assert values[found] == pytest.approx(max(values.values()), abs=1e-12)
    assert min(values.values()) < values[found] - 0.1


def test_no_other_certain_tree_of_the_budget_accepts_more(trace: Trace) -> None:
    found = tuple(sorted(best_shape(trace, "certain", 3, 2)))
    asked = {places: Configuration("certain", 1, max(map(len, places)), places=places) for places in TREES}
    values = {places: mean_accepted(trace, each, length=2) for places, each in asked.items()}
    assert values[found] == pytest.approx(max(values.values()), abs=1e-12)
    assert min(values.values()) < values[found] - 0.1


@pytest.mark.parametrize("rule", ["certain", "recursive"])
def test_the_best_shape_accepts_as_much_as_the_best_widths(trace: Trace, rule: str) -> None:
    widths = best_widths(trace, rule, NODES, LENGTH)
    assert accepted_of(trace, rule, best_shape(trace, rule, NODES, LENGTH)) >= accepted(trace, rule, widths) - 1e-12


def every_shape(trace: Trace) -> Iterator[tuple[Place, ...]]:
    """Every shape of the budget, no node of more children than the trace holds drafts."""
    for shape in shapes(NODES, LENGTH):
        places = sorted(places_of(shape), key=lambda place: (len(place), place))
        if max(place[-1] for place in places) < trace.header.num_drafts:
            yield tuple(places)


def places_of(shape: Shape, place: Place = ()) -> Iterator[Place]:
    for child, below in enumerate(shape):
        yield (*place, child)
        yield from places_of(below, (*place, child))


def accepted_of(trace: Trace, rule: str, places: tuple[Place, ...]) -> float:
    return mean_accepted(trace, Configuration(rule, 1, max(map(len, places)), places=places))


@pytest.mark.parametrize("rule", ["certain", "recursive"])
def test_a_shape_of_equal_widths_has_the_reach_weights_of_these(trace: Trace, rule: str) -> None:
    places = ((0,), (1,), *product(range(2), range(3)))
    shape, widths = Configuration(rule, length=2, places=places), Configuration(rule, length=2, widths=(2, 3))
    assert (shape.rows, shape.scored, shape.most_drafts) == (widths.rows, widths.scored, widths.most_drafts)
    for _, rows in trace.texts():
        np.testing.assert_allclose(reach_weights(rows, shape), reach_weights(rows, widths), atol=1e-12)


def test_designed_trees_are_asked_for_once_each(trace: Trace) -> None:
    asked = asked_configurations(trace, rules=["certain"], lengths=[1, 2, 3], tree_nodes=[3, 7], trees=[[3]])
    assert len(asked) == len(set(asked))
    assert {each.widths for each in asked} >= {(3,), best_widths(trace, "certain", 7, 2)}
    assert best_shape(trace, "certain", 7, 3) in {each.places for each in asked}
    assert all(each.scored <= 8 for each in asked)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (Configuration("certain", length=2, widths=(5, 1)), r"widths\[0\] is 5 in the tree widths 5-1, and 4 tokens"),
        (Configuration("recursive_distinct", length=2, widths=(1, 5)), r"widths\[1\] is 5 .*: give at most 4"),
        (Configuration("certain", length=1, places=((0,), (4,))), r"places\[1\] is \(4,\), with the child 4 counted"),
    ],
    ids=["certain", "distinct", "any shape"],
)
def test_a_tree_of_more_distinct_children_than_tokens_is_refused(
    trace: Trace, tree: Configuration, message: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^{message}"):
        price(trace, [tree])


def test_no_designed_tree_has_more_distinct_children_than_tokens(trace: Trace) -> None:
    assert best_widths(trace, "certain", 50, 1) == (4,)
    assert best_shape(trace, "certain", 50, 1) == ((0,), (1,), (2,), (3,))


def test_what_does_not_fit(trace: Trace) -> None:
    with pytest.raises(InvalidInput, match="nodes is 0"):
        best_widths(trace, "certain", 0, 2)
    with pytest.raises(InvalidInput, match="a tree's rule is 'block'"):
        best_widths(trace, "block", 4, 2)
    with pytest.raises(InvalidInput, match="length is 100, and no text has so many tokens"):
        best_widths(trace, "certain", 4, 100)
    with pytest.raises(InvalidInput, match="a tree's rule is 'kseq': it must be one of certain, recursive"):
        best_shape(trace, "kseq", 4, 2)
    with pytest.raises(InvalidInput, match=r"trees\[1\] is empty, a tree of depth 0"):
        asked_configurations(trace, trees=[(2,), ()])
    with pytest.raises(InvalidInput, match=r"widths is \(1.5,\): give a positive number"):
        Configuration("certain", length=1, widths=(1.5,))  # type: ignore[arg-type]
    for rule, places, message in (
        ("recursive", ((1,),), "recursive tries the children before it, give them"),
        ("certain", ((0, 1),), "the node above each node too"),
        ("certain", ((-1,),), "give numbers from 0"),
        ("certain", ((0,), (0,)), "no node twice"),
        ("certain", ((0,), (0, 0)), "give its depth as length"),
    ):
        with pytest.raises(InvalidInput, match=message):
            Configuration(rule, length=1, places=places)
