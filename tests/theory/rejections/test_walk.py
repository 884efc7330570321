from __future__ import annotations

import numpy as np
import pytest

from specproof.theory.chain import Chain, MarkovChain, random_markov_pair, random_tabular_pair
from specproof.theory.distribution import Array
from specproof.theory.rejections.walk import EMPTY, advance, walk


def chains(horizon: int) -> tuple[MarkovChain, MarkovChain]:
    """A stationary and a non-stationary chain."""
    still = random_markov_pair(3, horizon, np.random.default_rng(1), stationary=True)[0]
    return still, random_markov_pair(3, horizon, np.random.default_rng(2))[0]


def test_laws_come_in_the_order_of_positions() -> None:
    still, moving = chains(4)
    laws = [law for law, _ in walk(still, moving, lambda p, q: None)]
    assert np.array_equal(laws[0], moving.initial)
    for position in (2, 3, 4):
        assert np.array_equal(laws[position - 1], moving.transition(position))
    draft, target = random_tabular_pair(2, 3, np.random.default_rng(3))
    for (law, proposal), expected in zip(walk(draft, target, lambda p, q: p), target.conditionals, strict=True):
        assert law is expected
        assert proposal.shape == law.shape


@pytest.mark.parametrize(("draft", "target", "calls"), [(0, 0, 2), (0, 1, 9), (1, 0, 9), (1, 1, 9)])
def test_what_steps_share_is_computed_once(draft: int, target: int, calls: int) -> None:
    seen: list[tuple[Array, Array]] = []

    def note(proposal: Array, law: Array) -> int:
        seen.append((proposal, law))
        return len(seen)

    pair = chains(9)
    found = [number for _, number in walk(pair[draft], pair[target], note)]
    assert len(seen) == calls
    assert found == [min(position, calls) for position in range(1, 10)]
    for position, number in zip(range(2, 10), found[1:], strict=True):
        assert np.array_equal(seen[number - 1][0], pair[draft].transition(position))
        assert np.array_equal(seen[number - 1][1], pair[target].transition(position))


def measures(model: Chain) -> list[Array]:
    """The law of the contexts of each position, and of those after the last."""
    found = [EMPTY]
    for law, _ in walk(model, model, lambda p, q: None):
        found.append(advance(model, found[-1], law))
    return found


@pytest.mark.parametrize("index", [0, 1], ids=["stationary", "non-stationary"])
def test_a_measure_advanced_is_the_marginal_of_the_joint_law(index: int) -> None:
    chain = chains(4)[index]
    joint = chain.tabulate().joint()
    for position, marginal in enumerate(measures(chain)[1:]):
        others = tuple(axis for axis in range(4) if axis != position)
        assert marginal == pytest.approx(joint.sum(axis=others), abs=1e-15)
    for length, prefixes in enumerate(measures(chain.tabulate())):
        assert prefixes == pytest.approx(joint.sum(axis=tuple(range(length, 4))), abs=1e-15)


def test_one_position() -> None:
    chain = MarkovChain([0.25, 0.75], np.empty((0, 2, 2)))
    assert [law.tolist() for law, _ in walk(chain, chain, lambda p, q: None)] == [[0.25, 0.75]]
