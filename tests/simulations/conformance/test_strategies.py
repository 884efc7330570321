"""Strategies: what they draw is valid, has the degenerate corners, and shrinks to what a person can read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from simulations.conformance import strategies
from simulations.conformance.problems import CONTRACTS, ChainProblem, Problem
from theory.chain import MarkovChain, TabularModel
from theory.errors import InvalidInput

SEARCH = settings(database=None, max_examples=5000, suppress_health_check=list(HealthCheck), deadline=None)


@given(law=strategies.distributions())
def test_distributions_sum_to_one(law: np.ndarray) -> None:
    assert law.sum() == pytest.approx(1)
    assert (law >= 0).all()


@given(chain=strategies.markov_chains(), model=strategies.tabular_models())
def test_models_are_models(chain: MarkovChain, model: TabularModel) -> None:
    assert chain.tabulate().joint().sum() == pytest.approx(1)
    assert model.joint().sum() == pytest.approx(1)


@given(data=st.data(), law=strategies.distributions())
def test_drafts_are_possible(data: st.DataObject, law: np.ndarray) -> None:
    tokens = data.draw(strategies.drafts(law, 3))
    assert len(tokens) == 3
    assert (law[list(tokens)] > 0).all()


@given(problem=strategies.problems())
def test_problems_of_every_contract(problem: Problem) -> None:
    assert problem.target_law.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "corner",
    [
        lambda pair: pair[0].size == 1,
        lambda pair: pair[0].size > 1 and np.array_equal(*pair),
        lambda pair: np.minimum(*pair).sum() == 0,
        lambda pair: pair[0].max() == 1 and pair[1].max() < 1,
        lambda pair: 0 < pair[0].min() < 1e-200,
        lambda pair: pair[0].size > 2 and len(set(pair[0])) == 1,
    ],
    ids=["one token", "equal", "disjoint", "point mass", "tiny", "ties"],
)
def test_corners_come_up(corner: Any) -> None:
    find(strategies.pairs(), corner, settings=SEARCH)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_shrinking_ends_at_two_tokens_and_simple_fractions(contract: str) -> None:
    found = find(strategies.problems(contract), lambda problem: not_equal(problem), settings=SEARCH)
    assert found.num_tokens == 2
    assert len(found.describe()) < 120


def not_equal(problem: Problem) -> bool:
    return 0.5 * np.abs(problem.draft_law - problem.target_law).sum() > 0.3


def test_problems_of_one_contract_alone() -> None:
    assert isinstance(find(strategies.problems("chain"), lambda _: True, settings=SEARCH), ChainProblem)


@pytest.mark.parametrize("contract", ["chains", "", 0, []])
def test_what_is_no_contract_has_no_problems(contract):
    with pytest.raises(InvalidInput, match=r"contract is .* it must be one of chain, multi, generate"):
        strategies.problems(contract)
