"""Trees by design: the widths that accept most of all that a budget allows, by their exact reach weights."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from traced_chains import traced

from specproof.simulations.traces.ask import asked_configurations
from specproof.simulations.traces.configuration import Configuration, reach_weights
from specproof.simulations.traces.trace import Trace
from specproof.simulations.traces.tree_design import best_widths
from specproof.theory.chain import random_markov_pair
from specproof.theory.errors import InvalidInput

LENGTH, NODES = 3, 7


@pytest.fixture(scope="module")
def trace() -> Trace:
    return traced(*random_markov_pair(4, 2, np.random.default_rng(5), stationary=True), texts=4, length=60)


def accepted(trace: Trace, rule: str, widths: tuple[int, ...]) -> float:
    """The mean accepted length over all starts from which LENGTH tokens follow."""
    asked = Configuration(rule, 1, len(widths), widths)
    reach = [reach_weights(rows, asked)[: text.tokens - LENGTH + 1, 1:] for text, rows in trace.texts()]
    return float(np.concatenate(reach).sum(axis=1).mean())


@pytest.mark.parametrize("rule", ["certain", "kseq", "recursive_distinct"])
def test_no_other_widths_of_the_budget_accept_more(trace: Trace, rule: str) -> None:
    found = best_widths(trace, rule, NODES, LENGTH)
    most = NODES if rule == "certain" else trace.header.num_drafts
    others = [
        widths
        for length in range(1, LENGTH + 1)
        for widths in product(range(1, most + 1), repeat=length)
        if np.cumprod(widths).sum() <= NODES and list(widths) == sorted(widths, reverse=True)
    ]
    assert found in others
    values = {widths: accepted(trace, rule, widths) for widths in others}
    assert values[found] == pytest.approx(max(values.values()), abs=1e-12)
    assert min(values.values()) < values[found] - 0.1


def test_designed_trees_are_asked_for_once_each(trace: Trace) -> None:
    asked = asked_configurations(trace, rules=["certain"], lengths=[1, 2, 3], tree_nodes=[3, 7], trees=[[3]])
    assert len(asked) == len(set(asked))
    assert {each.widths for each in asked} >= {(3,), best_widths(trace, "certain", 7, 2)}
    assert all(each.scored <= 8 for each in asked)


def test_what_does_not_fit(trace: Trace) -> None:
    with pytest.raises(InvalidInput, match="nodes is 0"):
        best_widths(trace, "certain", 0, 2)
    with pytest.raises(InvalidInput, match="a tree's rule is 'block'"):
        best_widths(trace, "block", 4, 2)
    with pytest.raises(InvalidInput, match="length is 100, and no text has so many tokens"):
        best_widths(trace, "certain", 4, 100)
