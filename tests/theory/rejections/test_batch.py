"""Theorem 3 against the algorithm enumerated branch by branch; wrong recursions; more drafts, and their limit."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from specproof.theory.chain import Chain, MarkovChain, TabularModel, random_markov_pair, random_tabular_pair
from specproof.theory.distribution import bernoulli
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration
from specproof.theory.rejections import batch_limit, expected_rejections, expected_rejections_batch
from specproof.theory.verifiers.recursive import residual_weights

ROUNDING = 1e-12
"""Sums of at most 4^5 products of numbers up to 1 in float64: hundreds of units in the last place, and some room."""

CASES = [(seed, states + 1, horizon + 1) for seed, (states, horizon) in enumerate(np.ndindex(4, 5))]


def thin(chain: MarkovChain, rng: np.random.Generator) -> MarkovChain:
    """Set a fifth of all entries to zero, where a row keeps a token."""

    def thinned(rows: np.ndarray) -> np.ndarray:
        kept = np.where(rng.random(rows.shape) < 0.2, 0.0, rows)
        totals = kept.sum(axis=-1, keepdims=True)
        return np.divide(kept, totals, out=np.array(rows), where=totals > 0)

    return MarkovChain(thinned(chain.initial), thinned(chain.transitions), chain.horizon)


def enumerated(draft: TabularModel, target: TabularModel, num_drafts: int) -> float:
    law = runs_by_enumeration(draft, target, num_drafts)
    assert np.abs(law.output - target.joint()).max() <= ROUNDING
    return float(law.rejections @ np.arange(law.rejections.size))


@pytest.mark.parametrize("stationary", [False, True])
@pytest.mark.parametrize(("seed", "states", "horizon"), CASES)
def test_markov_recursion_against_enumeration(seed: int, states: int, horizon: int, stationary: bool) -> None:
    rng = np.random.default_rng(seed)
    pair = random_markov_pair(states, horizon, rng, concentration=0.4, stationary=stationary)
    draft, target = (thin(chain, rng) for chain in pair)
    for num_drafts in range(1, 6):
        mean = enumerated(draft.tabulate(), target.tabulate(), num_drafts)
        assert abs(expected_rejections_batch(draft, target, num_drafts) - mean) <= ROUNDING


@pytest.mark.parametrize(("seed", "states", "horizon"), CASES)
def test_sum_over_histories_against_enumeration(seed: int, states: int, horizon: int) -> None:
    draft, target = random_tabular_pair(states, horizon, np.random.default_rng(seed), concentration=0.4)
    for num_drafts in range(1, 6):
        mean = enumerated(draft, target, num_drafts)
        assert abs(expected_rejections_batch(draft, target, num_drafts) - mean) <= ROUNDING


def recursion(draft: TabularModel, target: TabularModel, num_drafts: int, fault: str = "") -> float:
    """Theorem 3 as it is written, over all prefixes; with ``fault``, one of its terms wrong."""
    prefixes, rejected, total = np.ones(()), np.ones(()), 0.0
    for proposal, law in zip(draft.conditionals, target.conditionals, strict=True):
        single, batch = np.maximum(law - proposal, 0.0), residual_weights(proposal, law, num_drafts)
        distance, product = single.sum(axis=-1), batch.sum(axis=-1)
        total += (prefixes * distance).sum() - (rejected * (distance - product)).sum()
        if fault == "q for the batch's residual":
            batch = product[..., None] * law
        if fault == "q for the residual":
            single = distance[..., None] * law
        if fault == "f is of every prefix":
            rejected = prefixes[..., None] * law
        elif fault == "f forgets lone drafts":
            rejected = rejected[..., None] * batch
        elif fault == "f forgets batches":
            rejected = (prefixes - rejected)[..., None] * single
        else:
            rejected = rejected[..., None] * batch + (prefixes - rejected)[..., None] * single
        prefixes = prefixes[..., None] * (proposal if fault == "prefixes of the draft" else law)
    return float(total)


def test_the_formula_as_it_is_written_is_the_recursion() -> None:
    draft, target = random_tabular_pair(3, 4, np.random.default_rng(31))
    for num_drafts in (1, 2, 5):
        mean = enumerated(draft, target, num_drafts)
        assert abs(recursion(draft, target, num_drafts) - mean) <= ROUNDING
        assert abs(expected_rejections_batch(draft, target, num_drafts) - mean) <= ROUNDING


@pytest.mark.parametrize(
    "fault",
    [
        "q for the batch's residual",
        "q for the residual",
        "f is of every prefix",
        "f forgets lone drafts",
        "f forgets batches",
        "prefixes of the draft",
    ],
)
def test_wrong_recursions_are_told_from_enumeration(fault: str) -> None:
    draft, target = random_tabular_pair(3, 4, np.random.default_rng(31))
    assert abs(recursion(draft, target, 2, fault) - enumerated(draft, target, 2)) > 1e-3


@pytest.mark.parametrize("kind", [MarkovChain, TabularModel])
def test_one_draft_is_theorem_1(kind: type) -> None:
    for seed in range(20):
        draft, target = random_markov_pair(4, 6, np.random.default_rng(seed), concentration=0.3)
        pair: tuple[Chain, Chain] = (draft, target)
        if kind is TabularModel:
            pair = draft.tabulate(), target.tabulate()
        assert abs(expected_rejections_batch(*pair, 1) - expected_rejections(*pair)) <= ROUNDING


@pytest.mark.parametrize("num_drafts", [1, 4])
def test_equal_chains_reject_nothing_and_disjoint_ones_everything(num_drafts: int) -> None:
    chain, _ = random_markov_pair(5, 6, np.random.default_rng(11))
    assert expected_rejections_batch(chain, chain, num_drafts) == 0.0
    assert batch_limit(chain, chain) == 0.0
    draft = MarkovChain([1.0, 0.0], [[1.0, 0.0], [1.0, 0.0]], 3)
    target = MarkovChain([0.0, 1.0], [[0.0, 1.0], [0.0, 1.0]], 3)
    assert expected_rejections_batch(draft, target, num_drafts) == 3.0
    assert batch_limit(draft, target) == 3.0


def test_two_positions_by_hand() -> None:
    """p = (1/2, 1/2), q = (1, 0): M drafts all fail with 2^-M, a lone one with 1/2; rejected tokens are 0 as well.

    Position 1 is rejected with 2^-M = r, position 2 with r if 1 was and with 1/2 else: r + r^2 + (1 - r)/2.
    """
    draft = MarkovChain([0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]], 2)
    target = MarkovChain([1.0, 0.0], [[1.0, 0.0], [1.0, 0.0]], 2)
    for num_drafts in (1, 2, 3, 10):
        failed = 0.5**num_drafts
        expected = failed + failed**2 + (1 - failed) / 2
        assert expected_rejections_batch(draft, target, num_drafts) == expected
    assert batch_limit(draft, target) == 0.5


def coarse_pair(seed: int, *, zeros: bool) -> tuple[MarkovChain, MarkovChain]:
    """Chains of 3 states whose rows are multiples of 1/12 or coarser, those of the draft with zeros or without."""
    rng = np.random.default_rng(seed)

    def rows(lowest: int, *shape: int) -> np.ndarray:
        weights = rng.integers(lowest, 5, (*shape, 3))
        weights[..., 0] += weights.sum(axis=-1) == 0
        return weights / weights.sum(axis=-1, keepdims=True)

    return MarkovChain(rows(0 if zeros else 1, 1)[0], rows(0 if zeros else 1, 4, 3)), MarkovChain(
        rows(0, 1)[0], rows(0, 4, 3)
    )


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_expected_rejections_fall_with_drafts_to_the_limit(seed: int, zeros: bool) -> None:
    """What is ever drafted is drafted with 1/12 or more: (11/12)^400 is below 1e-15."""
    draft, target = coarse_pair(seed, zeros=zeros)
    limit = batch_limit(draft, target)
    path = [expected_rejections_batch(draft, target, count) for count in (1, 2, 3, 5, 9, 33, 400)]
    assert np.diff(path).max() <= ROUNDING
    assert abs(path[-1] - limit) <= ROUNDING
    assert path[0] > path[1] > limit > 0.05, "drafts help, and do not help for ever"


def test_the_limit_of_a_draft_law_with_zeros_is_not_that_of_one_without() -> None:
    """At the only position the batch fails with q(p = 0), however large."""
    draft, target = (MarkovChain(law, np.empty((0, 3, 3))) for law in ([0.5, 0.5, 0.0], [0.25, 0.5, 0.25]))
    assert batch_limit(draft, target) == 0.25
    assert expected_rejections_batch(draft, target, 50) == 0.25
    full = MarkovChain([0.5, 0.25, 0.25], np.empty((0, 3, 3)))
    assert batch_limit(full, target) == 0.0


@pytest.mark.parametrize("of", [lambda p, q: expected_rejections_batch(p, q, 3), batch_limit], ids=["3", "limit"])
def test_chains_and_their_tables_agree(of: Callable[[Chain, Chain], float]) -> None:
    draft, target = coarse_pair(3, zeros=True)
    assert of(draft.tabulate(), target.tabulate()) == pytest.approx(of(draft, target), abs=ROUNDING)


def test_without_memory_the_state_is_whether_the_last_position_was_rejected() -> None:
    """Two states, fresh or not: rejected with r_M if fresh and with TV if not, whatever the tokens."""
    draft, target = (MarkovChain(bernoulli(s), [bernoulli(s)] * 2, 40) for s in (0.2, 0.6))
    single, batch = (float(residual_weights(bernoulli(0.2), bernoulli(0.6), m).sum()) for m in (1, 4))
    fresh, total = 1.0, 0.0
    for _ in range(40):
        fresh = fresh * batch + (1 - fresh) * single
        total += fresh
    assert expected_rejections_batch(draft, target, 4) == pytest.approx(total, abs=40 * ROUNDING)


def test_two_thousand_states_take_little_memory_however_long_the_horizon() -> None:
    """A table of all transitions is 32 MB; a new one for each position, or each draft, would be seen at once."""
    rows = np.full((2000, 2000), 1 / 2000)
    draft, target = (MarkovChain(rows[0], rows, 10) for _ in range(2))
    tracemalloc.start()
    assert expected_rejections(draft, target) == pytest.approx(0.0, abs=1e-12)
    assert expected_rejections_batch(draft, target, 4) == pytest.approx(0.0, abs=1e-12)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**30 / 4
