"""All problems together: a mean of 1 for a lossless sampler, by enumeration, and what together they see."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from specproof.conformance.evidence import coupled_bets
from specproof.conformance.evidence.coupled_detectable_bias import most_variable
from specproof.conformance.evidence.known_laws import log_value_of_known, most_telling
from specproof.conformance.evidence.pooled import PooledEvidence
from specproof.conformance.evidence.pooled_detectable_bias import law_terms, smallest_seen
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.problems import MultiProblem
from specproof.conformance.problems.ladder import ladder

Joint = np.ndarray
"""The joint law of a draft and of what is emitted, shape (V, 2 V)."""


def lossless(problem: Any) -> Joint:
    """Give what one-draft rejection does."""
    draft, target = problem.draft, problem.target
    kept, residual = np.minimum(draft, target), np.maximum(target - draft, 0)
    return np.hstack([np.outer(draft - kept, residual / residual.sum()), np.diag(kept)])


def moved(problem: Any, bias: float, *, coupled: bool) -> Joint:
    """Move the share of the set of outcomes that varies most, given the drafts if bets see those, by a bias."""
    joint, law = lossless(problem), problem.completions
    means = joint @ law / joint.sum(axis=1, keepdims=True) if coupled else problem.target_law[np.newaxis]
    gaps = law[np.newaxis] - means[:, np.newaxis]
    covariance = np.einsum("xe,xea,xeb->ab", joint, gaps, gaps)
    chosen = most_variable(covariance)
    return joint * (1 + bias / (chosen @ covariance @ chosen) * (gaps @ chosen))


def show(watch: Watch, drafts: np.ndarray, emitted: np.ndarray) -> None:
    """Let a watch see trials."""
    watch.law.add(emitted % watch.problem.num_tokens)
    if watch.coupled:
        watch.coupled.add(drafts, emitted)


def test_the_mean_of_the_product_is_one_for_a_lossless_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupled_bets, "FIRST_BLOCK", 1)
    problems = [MultiProblem([0.5, 0.5], [0.4, 0.6], 1), MultiProblem([0.9, 0.1], [0.2, 0.8], 1)]
    joints = [lossless(problem) for problem in problems]
    paths = [list(product(np.argwhere(joint > 0), repeat=length)) for joint, length in zip(joints, (3, 2), strict=True)]
    mean = 0.0
    for together in product(*paths):
        watches, chance = [Watch(problem, "a name") for problem in problems], 1.0
        for watch, joint, path in zip(watches, joints, together, strict=True):
            show(watch, *np.array(path).T)
            chance *= float(np.prod([joint[tuple(cell)] for cell in path]))
        mean += chance * np.exp(PooledEvidence(watches).log_value)
    assert [watch.coupled is not None for watch in watches] == [True, False]
    assert mean == pytest.approx(1, abs=1e-7)  # logarithms of factorials near 4^13 are rounded


def test_the_stated_bias_on_every_problem_is_seen_where_none_alone_shows_it() -> None:
    problems = {name: it for name, it in ladder("multi").items() if it.num_drafts == 1}  # type: ignore[attr-defined]
    level, trials, rng = 1e-7, 20_000, np.random.default_rng(5)

    def seen(bias: float) -> list[Watch]:
        watches = [Watch(problem, name) for name, problem in problems.items()]
        for watch in watches:
            joint = moved(watch.problem, bias, coupled=watch.coupled is not None)
            cells = rng.choice(joint.size, size=trials, p=joint.reshape(-1) / joint.sum())
            show(watch, *np.unravel_index(cells, joint.shape))
        return watches

    watches = seen(0.0)
    bias = PooledEvidence(watches).detectable_bias(level)
    assert bias < 0.75 * max(watch.detectable_bias(level) for watch in watches)
    assert PooledEvidence(watches).log_value < -np.log(level)
    together = [PooledEvidence(seen(bias)).log_value >= -np.log(level) for _ in range(60)]
    # 60 repetitions with a true chance of 0.99 fall below 0.9 with probability below 1e-4.
    assert np.mean(together) >= 0.9


def test_a_known_law_is_seen_before_one_that_has_to_be_learned() -> None:
    problem = MultiProblem([0.6, 0.2, 0.2], [0.2, 0.3, 0.5], 1)
    replaced = problem.target_law + np.array([0.0, 0.06, -0.06])

    def law(asked: MultiProblem) -> Joint:
        return np.stack([replaced, np.zeros(3)]) if asked is problem else np.zeros((2, 3))

    watch = Watch(problem, "a name")
    watch.law.counts += (900 * replaced).round().astype(np.int64)
    assert log_value_of_known([watch], (law,)) > 5 > PooledEvidence([watch]).log_value
    mean = 0.0
    for outcomes in product(range(3), repeat=3):
        watch = Watch(problem, "a name")
        watch.law.counts += np.bincount(outcomes, minlength=3)
        mean += problem.target_law[list(outcomes)].prod() * np.exp(log_value_of_known([watch], (law,)))
    assert mean == pytest.approx(1)


def test_a_bias_can_be_told_from_trials_of_ordinary_size_alone() -> None:
    few, many = (smallest_seen([law_terms(3, trials, 4.0 ** np.arange(14))] * 20, 1e-9) for trials in (10, 10**6))
    assert few > 20 * many
    assert smallest_seen([], 1e-6) == np.inf


def test_the_problem_that_is_run_next_is_the_most_telling_of_the_defects_that_are_left() -> None:
    near, far = MultiProblem([0.6, 0.4], [0.5, 0.5], 1), MultiProblem([0.9, 0.1], [0.5, 0.5], 1)

    def always_first(asked: MultiProblem) -> Joint:
        return np.stack([np.zeros(2), asked.draft])

    def of_near_alone(asked: MultiProblem) -> Joint:
        shift = 0.3 * (asked is near)
        return np.stack([asked.target_law + np.array([shift, -shift]), np.zeros(2)])

    watches, laws = [Watch(near, "near"), Watch(far, "far")], (always_first, of_near_alone)
    assert most_telling(watches, laws) is watches[1]
    watches[1].law.counts += 50  # as the target has it: no draft is accepted always
    assert most_telling(watches, laws) is watches[0]
    assert most_telling(watches, ()) is most_telling([], laws) is None
