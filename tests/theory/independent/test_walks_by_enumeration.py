"""Walks down a tree, node by node: lossless, and their nodes in cases by hand."""

from __future__ import annotations

import numpy as np
import pytest

from specproof import VERIFIERS, InvalidInput, random_tabular_pair
from specproof.theory.independent.sequences_by_enumeration import completed, enumerable
from specproof.theory.independent.walks_by_enumeration import (
    certain_children,
    exact_match,
    iid_children,
    walks_by_enumeration,
)

PAIR = random_tabular_pair(3, 3, np.random.default_rng(134), concentration=0.5)
NODES = {
    "certain": certain_children([2, 1]),
    "exact match": exact_match,
    **{name: iid_children(name, [2, 3]) for name in enumerable()},
}
P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])


@pytest.mark.parametrize("name", NODES)
def test_every_walk_is_lossless(name: str) -> None:
    draft, target = PAIR
    found = completed(walks_by_enumeration(draft, target, 2, NODES[name]), target)
    assert found == pytest.approx(target.joint(), abs=1e-12)


@pytest.mark.parametrize("name", enumerable())
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_children_are_accepted_as_the_law_has_it(name: str, count: int) -> None:
    goes_on, ends = iid_children(name, [count])(0, P, Q)
    law = VERIFIERS[name].law(P, Q, count)
    assert goes_on == pytest.approx(law.accepted, abs=1e-12)
    assert ends.sum() == pytest.approx(1.0 - law.acceptance, abs=1e-12)


def test_the_likeliest_tokens_are_the_children_and_ties_go_to_the_smaller_one() -> None:
    draft, target = np.array([0.25, 0.25, 0.5]), np.array([0.2, 0.3, 0.5])
    assert [part.tolist() for part in certain_children([2])(0, draft, target)] == [[0.2, 0.0, 0.5], [0.0, 0.3, 0.0]]


def test_a_walk_past_the_horizon_or_of_no_rule_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"^length is 3: it must lie in 1\.\.horizon - 1 = 2"):
        walks_by_enumeration(*PAIR, 3, exact_match)
    with pytest.raises(InvalidInput, match="verifier is 'best'"):
        iid_children("best", [1])
