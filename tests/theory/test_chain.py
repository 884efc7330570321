from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from specproof.theory.chain import MarkovChain, TabularModel, random_markov_pair, random_tabular_pair

ROWS = np.array([[0.75, 0.25], [0.5, 0.5]])
OTHER = np.array([[0.25, 0.75], [1.0, 0.0]])


@pytest.mark.parametrize(
    "chain", [MarkovChain([0.5, 0.5], ROWS, 3), MarkovChain([0.5, 0.5], [ROWS, OTHER])], ids=["stationary", "stack"]
)
def test_joint_law_is_the_product_along_every_path(chain: MarkovChain) -> None:
    joint = chain.tabulate().joint()
    for path in product(range(2), repeat=3):
        expected = chain.initial[path[0]]
        for position in (2, 3):
            expected *= chain.transition(position)[path[position - 2], path[position - 1]]
        assert joint[path] == expected


def test_transition_of_a_stack_is_indexed_by_position() -> None:
    chain = MarkovChain([1.0, 0.0], [ROWS, OTHER])
    assert chain.horizon == 3
    assert np.array_equal(chain.transition(2), ROWS)
    assert np.array_equal(chain.transition(3), OTHER)


def test_horizon_one_needs_no_transition() -> None:
    chain = MarkovChain([0.25, 0.75], np.empty((0, 2, 2)))
    assert chain.horizon == 1
    assert chain.tabulate().joint().tolist() == [0.25, 0.75]


def test_tabular_model_keeps_the_whole_history() -> None:
    third = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [0.25, 0.75]]])
    model = TabularModel([[0.5, 0.5], ROWS, third])
    assert (model.num_states, model.horizon) == (2, 3)
    assert model.joint()[1, 0].tolist() == [0.125, 0.125]
    assert model.joint()[1, 1].tolist() == [0.0625, 0.1875]


@pytest.mark.parametrize("stationary", [False, True])
def test_random_chains(stationary: bool) -> None:
    draft, target = random_markov_pair(3, 4, np.random.default_rng(2), stationary=stationary)
    assert draft.transitions.ndim == (2 if stationary else 3)
    assert (draft.num_states, draft.horizon) == (target.num_states, target.horizon) == (3, 4)
    assert not np.array_equal(draft.initial, target.initial)
    again, _ = random_markov_pair(3, 4, np.random.default_rng(2), stationary=stationary)
    assert np.array_equal(draft.transitions, again.transitions)


def test_random_tables() -> None:
    draft, target = random_tabular_pair(2, 3, np.random.default_rng(2))
    assert [table.shape for table in draft.conditionals] == [(2,), (2, 2), (2, 2, 2)]
    assert draft.joint().sum() == pytest.approx(1.0, abs=1e-15)
    assert not np.array_equal(draft.joint(), target.joint())
