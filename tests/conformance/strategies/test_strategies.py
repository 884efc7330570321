"""Strategies: what they draw is valid, is degenerate now and then, and shrinks to what a person can read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from specproof.conformance import strategies
from specproof.conformance.problems import ChainProblem, Contract, Problem
from specproof.theory.chain import MarkovChain, TabularModel
from specproof.theory.errors import InvalidInput

SEARCH = settings(database=None, max_examples=5000, suppress_health_check=list(HealthCheck), deadline=None)


@given(law=strategies.distributions())
def test_distributions_sum_to_one(law: np.ndarray) -> None:
    assert law.sum() == pytest.approx(1)
    assert (law >= 0).all()


@given(chain=strategies.markov_chains(), model=strategies.tabular_models())
def test_models_are_models(chain: MarkovChain, model: TabularModel) -> None:
    assert chain.tabulate().joint().sum() == pytest.approx(1)
    assert model.joint().sum() == pytest.approx(1)
    later = (chain.transitions, *model.conditionals[1:])
    assert all(law[law > 0].min() > 1e-200 for law in later), "what is tiny is at the first position"


@given(data=st.data(), law=strategies.distributions())
def test_drafts_are_possible(data: st.DataObject, law: np.ndarray) -> None:
    tokens = data.draw(strategies.drafts(law, 3))
    assert len(tokens) == 3
    assert (law[list(tokens)] > 0).all()


@given(problem=strategies.problems())
def test_problems_of_every_contract(problem: Problem) -> None:
    assert problem.target_law.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "is_degenerate",
    [
        lambda pair: pair[0].size == 1,
        lambda pair: pair[0].size > 1 and np.array_equal(*pair),
        lambda pair: np.minimum(*pair).sum() == 0,
        lambda pair: pair[0].max() == 1 and pair[1].max() < 1,
        lambda pair: 0 < pair[0].min() < 1e-200,
        pytest.param(lambda pair: pair[0].size > 2 and len(set(pair[0])) == 1, marks=pytest.mark.slow),
    ],
    ids=["one token", "equal", "disjoint", "point mass", "tiny", "ties"],
)
def test_degenerate_pairs_come_up(is_degenerate: Any) -> None:
    find(strategies.pairs(), is_degenerate, settings=settings(SEARCH, phases=[Phase.generate]))


@pytest.mark.parametrize("contract", [pytest.param(it, marks=pytest.mark.slow) for it in Contract])
def test_shrinking_ends_at_two_tokens_and_simple_fractions(contract: str) -> None:
    found = find(strategies.problems(contract), lambda problem: not_equal(problem), settings=SEARCH)
    assert found.num_tokens == 2
    assert len(found.describe()) < 120


def not_equal(problem: Problem) -> bool:
    return 0.5 * np.abs(problem.draft_law - problem.target_law).sum() > 0.3


@given(problem=strategies.problems("chain"))
def test_problems_of_one_contract_alone(problem: Problem) -> None:
    assert isinstance(problem, ChainProblem)


@given(data=st.data(), size=st.integers(1, 3), horizon=st.integers(1, 3))
def test_sizes_are_those_asked_for(data: st.DataObject, size: int, horizon: int) -> None:
    draft, target = data.draw(strategies.pairs(size))
    assert draft.size == target.size == data.draw(strategies.distributions(size)).size == size
    for models in (strategies.markov_chains, strategies.tabular_models):
        model = data.draw(models(size, horizon))
        assert (model.num_states, model.horizon) == (size, horizon)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: strategies.distributions(0), "num_tokens is 0"),
        (lambda: strategies.pairs(1.5), "num_tokens is 1.5"),  # type: ignore[arg-type]
        (lambda: strategies.markov_chains(-1), "num_tokens is -1"),
        (lambda: strategies.markov_chains(2, 0), "horizon is 0"),
        (lambda: strategies.tabular_models("2"), "num_tokens is '2'"),  # type: ignore[arg-type]
        (lambda: strategies.tabular_models(2, True), "horizon is True"),
        (lambda: strategies.tabular_models(2, 70), r"horizon is 70: 2\*\*70 entries are more"),
        (lambda: strategies.tabular_models(3, 10**9), r"horizon is 1000000000: 3\*\*1000000000 entries are more"),
        (lambda: strategies.drafts([0.5, 0.5], -1), "num_drafts is -1"),
        (lambda: strategies.drafts([0.5, 0.6], 1), "draft sums to 1.1"),
        (lambda: strategies.drafts([[0.5, 0.5]], 1), "draft has shape"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Any, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        find(make(), lambda _: True, settings=SEARCH)


@pytest.mark.slow
def test_drafts_of_a_list_are_of_its_possible_tokens() -> None:
    assert {find(strategies.drafts([0, 0.5, 0.5], 1), lambda it, t=t: it == (t,), settings=SEARCH) for t in (1, 2)} == {
        (1,),
        (2,),
    }


@pytest.mark.parametrize("contract", ["chains", "", 0, []])
def test_what_is_no_contract_has_no_problems(contract):
    with pytest.raises(InvalidInput, match=r"contract is .* it must be one of chain, multi, tree, round, generate"):
        strategies.problems(contract)


@given(law=strategies.rough_laws(4), pair=strategies.rough_pairs(3), chains=strategies.rough_chains(2, 3))
def test_rough_ones_are_distributions_and_models_too(law: Any, pair: Any, chains: Any) -> None:
    for row in (law, *pair):
        assert (row >= 0).all()
        assert row.sum() == pytest.approx(1, abs=1e-6)
        assert row.dtype in (np.float32, np.float64)
    assert pair[0].size == pair[1].size <= 3
    assert chains[0].horizon == chains[1].horizon <= 3


@pytest.mark.parametrize("name", list(strategies.DEGENERATE))
def test_degenerate_pairs_are_pairs_that_nobody_can_write_to(name: str) -> None:
    draft, target = strategies.DEGENERATE[name]
    assert draft.shape == target.shape
    assert draft.sum() == pytest.approx(1)
    assert target.sum() == pytest.approx(1)
    assert not draft.flags.writeable
    assert not target.flags.writeable


def test_every_degenerate_pair_is_an_example_of_a_property() -> None:
    seen = []

    @settings(max_examples=1, database=None)
    @strategies.with_degenerate(count=7)
    @given(pair=strategies.pairs(2), count=st.just(0))
    def collects(pair: Any, count: int) -> None:
        seen.append((pair, count))

    collects()
    assert [pair for pair, count in seen if count == 7][::-1] == list(strategies.DEGENERATE.values())
