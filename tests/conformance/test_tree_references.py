"""Samplers of published rules for drafted trees, as references of the contract ``tree``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import Unsupported, Verdict, check_sampler
from specproof.conformance.problems.tree_problem import TreeProblem
from specproof.conformance.tree_references import by_tree_sampler

FEW = replace(QUICK, rounds=1, small=2, degenerate=32)
"""Enough for gross defects of a sampler that is asked tree by tree."""


@pytest.mark.parametrize(
    "name", ["target-walk", *(pytest.param(name, marks=pytest.mark.slow) for name in ("traversal", "sequoia"))]
)
def test_the_kit_calls_a_published_rule_lossless(name: str) -> None:
    report = check_sampler(partial(by_tree_sampler, name), "tree", budget=FEW)
    assert report.verdict == Verdict.LOSSLESS, str(report)
    assert report.detectable_bias < 0.2


def test_what_is_drawn_in_another_way_is_unsupported() -> None:
    problem = TreeProblem.examples()["iid, two siblings"]
    rng = np.random.default_rng(0)
    inputs = problem.empty_inputs(1)
    problem.fill(inputs, np.array([0]), rng)
    with pytest.raises(Unsupported, match="traversal takes other drafts"):
        by_tree_sampler("traversal", *inputs, rng)
