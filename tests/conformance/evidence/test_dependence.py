"""Whether trials depend on each other: means under independence, and what is seen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from specproof.conformance.evidence.dependence import FOLDS, PairEvidence, are_dependent
from specproof.conformance.problems import MultiProblem, ladder


def test_the_mean_of_pair_evidence_is_at_most_one() -> None:
    """Exactly: over all outcomes of four trials of one call, each for the same pairings."""
    problem = MultiProblem([0.5, 0.5], [0.3, 0.7], 1)
    mean = 0.0
    for outcomes in itertools.product(range(2), repeat=4):
        evidence = PairEvidence(problem)
        evidence.add(np.array(outcomes), np.array(outcomes), np.random.default_rng(0))
        mean += float(problem.target_law[list(outcomes)].prod() * np.exp(evidence.log_value))
    assert mean == pytest.approx(1, abs=1e-6)  # log-gammas at 7e7 are off by about 1e-7


def test_pairs_of_independent_trials_are_no_evidence_and_shared_tokens_are() -> None:
    rng = np.random.default_rng(3)
    problem = ladder("chain")["two drafts, three tokens"]
    law = problem.target_law.reshape(-1)
    independent = rng.choice(law.size, size=(2, 4096), p=law)
    repeated = np.repeat(independent[:, ::2], 2, axis=1)
    values, verdicts = [], []
    for batches in (independent, repeated):
        evidence = PairEvidence(problem)
        firsts = batches // (law.size // problem.num_tokens)
        for first, outcomes in zip(firsts, batches, strict=True):
            evidence.add(first, outcomes, rng)
        values.append(evidence.log_value)
        verdicts.append(are_dependent(list(zip(firsts, batches, strict=True)), problem.num_tokens, 1e-6))
    assert values[0] < 0 < 100 < values[1]
    assert verdicts == [False, True]
    assert law.size > FOLDS


@pytest.mark.parametrize("distance", [3, 5, 7, -(-1000 // 3), -(-1000 // 5)])
def test_trials_that_repeat_each_other_some_apart_are_seen_and_told(distance: int) -> None:
    """Distances that are no power of two, nor half a batch."""
    rng = np.random.default_rng(8)
    problem = ladder("chain")["three tokens"]
    law = problem.target_law.reshape(-1)
    evidence, batches = PairEvidence(problem), []
    for _ in range(60):
        outcomes = rng.choice(law.size, size=1000, p=law)
        lower = np.arange(1000 - distance)
        lower = lower[lower // distance % 2 == 0]
        outcomes[lower + distance] = outcomes[lower]
        batches.append((outcomes // (law.size // problem.num_tokens), outcomes))
        evidence.add(*batches[-1], rng)
    assert evidence.log_value > 100
    assert are_dependent(batches[:4], problem.num_tokens, 1e-6)


def test_calls_whose_trials_share_one_uniform_are_dependent_though_no_pair_of_one_call_shows_it() -> None:
    rng = np.random.default_rng(4)
    calls = [rng.choice(4, size=512, p=rng.dirichlet(np.ones(4))) for _ in range(8)]
    assert are_dependent([(call, call) for call in calls], 4, 1e-6)
    alike = [rng.choice(4, size=512) for _ in range(8)]
    assert not are_dependent([(call, call) for call in alike], 4, 1e-6)


def test_few_trials_that_agree_within_their_call_alone_are_dependent() -> None:
    """Six calls of sixteen trials: tables of their pairs, of 64 by 64 outcomes, are all but empty."""
    rng = np.random.default_rng(6)
    shared = [np.full(16, call) for call in rng.permutation(64)[:6]]
    apart = [rng.permutation(64)[:16] for _ in range(6)]
    alike = [apart[0]] * 6  # calls that repeat each other, whose trials agree with those of other calls
    verdicts = [are_dependent([(call, call) for call in calls], 64, 1e-6) for calls in (shared, apart, alike)]
    assert verdicts == [True, False, False]


def test_calls_that_differ_a_little_are_dependent_though_pooled_pairs_do_not_show_it() -> None:
    """Shares of 0.45 and 0.55 in turn: a correlation of 0.01 in pairs, and 6 standard deviations in each call."""
    rng = np.random.default_rng(5)
    calls = [(rng.random(4096) < 0.5 + 0.05 * (-1) ** number).astype(np.int64) for number in range(8)]
    assert are_dependent([(call, call) for call in calls], 2, 1e-6)
