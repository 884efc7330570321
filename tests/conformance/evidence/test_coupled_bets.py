"""Bets that know the drafts: a mean of 1 for every kernel that is lossless, by enumeration, and what they see."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from specproof.conformance.contract import Contract
from specproof.conformance.evidence import coupled_bets
from specproof.conformance.evidence.coupled_bets import CoupledEvidence
from specproof.conformance.evidence.coupled_detectable_bias import most_variable
from specproof.conformance.evidence.e_processes import LawEvidence
from specproof.conformance.problems import MultiProblem
from specproof.conformance.problems.example_models import NEAR_P16, NEAR_Q16
from specproof.conformance.problems.ladder import degenerate_problems, ladder

ASKED = [
    pytest.param(problem, id=f"{contract}: {name}")
    for contract in Contract
    for name, problem in (ladder(contract) | degenerate_problems(contract)).items()
]


def cells(draft: float, target: float, place: float, accepted: tuple[float, float]) -> np.ndarray:
    """Every way to be lossless on two tokens: the joint law of a draft and of what is emitted, shape (2, 2, 2).

    ``place`` says which of all couplings of draft and target, ``accepted`` how often an emitted draft is called one.
    """
    least, most = max(draft + target - 1, 0.0), min(draft, target)
    both = least + place * (most - least)
    coupling = np.array([[both, draft - both], [target - both, 1 - draft - target + both]]).clip(min=0)
    joint = np.zeros((2, 2, 2))
    for token, share in enumerate(accepted):
        joint[token, 1, token] = share * coupling[token, token]
        joint[token, 0, token] = (1 - share) * coupling[token, token]
        joint[token, 0, 1 - token] = coupling[token, 1 - token]
    return joint


shares = st.floats(0, 1)
inner = st.floats(0.01, 0.99)


@settings(max_examples=20)
@given(draft=inner, target=inner, place=shares, accepted=st.tuples(shares, shares))
def test_the_mean_is_one_whatever_a_lossless_sampler_does_with_the_drafts(
    draft: float, target: float, place: float, accepted: tuple[float, float]
) -> None:
    problem = MultiProblem([draft, 1 - draft], [target, 1 - target], 1)
    joint = cells(draft, target, place, accepted).reshape(2, 4)
    likely = [(x, e) for x in range(2) for e in range(4) if joint[x, e] > 0]
    mean = 0.0
    with pytest.MonkeyPatch.context() as patch:
        # All paths of three trials are enumerated; bets are learned from the first on.
        patch.setattr(coupled_bets, "FIRST_BLOCK", 1)
        patch.setattr(coupled_bets, "RIDGES", np.array([0.25, 4.0]))
        for path in product(likely, repeat=3):
            evidence = CoupledEvidence(problem)
            drafts, emitted = np.array(path).T
            evidence.add(drafts, emitted)
            mean += np.prod([joint[cell] for cell in path]) * np.exp(evidence.log_value)
    assert mean == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("problem", ASKED)
def test_drafts_come_as_often_as_the_bets_suppose(problem: Any) -> None:
    """Otherwise the level would not hold: the mean of what is taken away must be that of the drafts handed out."""
    chances = problem.draft_chances
    assert chances.sum() == pytest.approx(1)
    if chances.size > 1:
        arguments = problem.arguments(4000, np.random.default_rng(3))
        counts = np.bincount(problem.number_drafts(arguments), minlength=chances.size)
        assert not counts[chances == 0].any()
        usual = 4000 * chances >= 5
        seen = [*counts[usual], counts[~usual].sum()]
        expected = 4000 * np.array([*chances[usual], chances[~usual].sum()])
        statistic = sum((c - e) ** 2 / e for c, e in zip(seen, expected, strict=True) if e > 0)
        # A fixed seed; with another a test fails with probability 1e-6.
        assert scipy.stats.chi2.sf(statistic, max(len(seen) - 1, 1)) > 1e-6


def lossless(problem: Any, epsilon: float = 0.0) -> np.ndarray:
    """The joint law of the draft and of what one-draft rejection emits, shape (V, 2 V)."""
    draft, target = problem.draft, problem.target
    kept = draft * np.minimum(target / (draft + epsilon), 1)
    residual = np.maximum(target - draft, 0)
    return np.hstack([np.outer(draft - kept, residual / residual.sum()), np.diag(kept)])


def seen_in(problem: Any, joint: np.ndarray, trials: int, rng: np.random.Generator) -> CoupledEvidence:
    """The evidence of so many trials of a joint law of draft and emitted outcome."""
    evidence = CoupledEvidence(problem)
    drawn = rng.choice(joint.size, size=trials, p=joint.reshape(-1) / joint.sum())
    evidence.add(*np.unravel_index(drawn, joint.shape))
    return evidence


def test_an_epsilon_in_the_denominator_shows_where_draft_and_target_are_near() -> None:
    problem = MultiProblem(NEAR_P16, NEAR_Q16, 1)
    joint = lossless(problem, 1e-3)
    emitted = joint.sum(axis=0).reshape(2, -1).sum(axis=0)
    assert 0.5 * np.abs(emitted - problem.target_law).sum() < 0.009
    evidence = seen_in(problem, joint, 60_000, np.random.default_rng(0))
    assert evidence.log_value > 20
    plain = LawEvidence(problem.target_law, problem.draft_law)
    plain.counts += np.random.default_rng(0).multinomial(60_000, emitted)
    assert plain.log_value < 10
    assert seen_in(problem, lossless(problem), 60_000, np.random.default_rng(0)).log_value < 3


def test_the_stated_bias_is_seen_in_the_direction_that_is_hardest_to_see() -> None:
    problem, level, trials = ladder("multi")["three tokens, k = 1"], 1e-6, 30_000
    joint, rng = lossless(problem), np.random.default_rng(1)
    law = problem.completions
    means = joint @ law / joint.sum(axis=1, keepdims=True)
    gaps = law[np.newaxis] - means[:, np.newaxis]
    covariance = np.einsum("xe,xea,xeb->ab", joint, gaps, gaps)
    chosen = most_variable(covariance)
    bias = seen_in(problem, joint, trials, rng).detectable_bias(level)
    moved = joint * (1 + bias / (chosen @ covariance @ chosen) * (gaps @ chosen))
    assert 0.5 * np.abs(moved.sum(axis=0) @ law - problem.target_law).sum() == pytest.approx(bias, rel=0.01)
    values = [seen_in(problem, moved, trials, rng).log_value for _ in range(200)]
    # 200 repetitions with a true power of 0.99 fall below 0.95 with probability below 1e-4.
    assert np.mean(np.array(values) >= -np.log(level)) >= 0.95
