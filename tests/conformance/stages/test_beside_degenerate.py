"""Ordinary rows beside degenerate ones in one batch: what is done to all because one row asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from broken_samplers import first_draft
from check_budgets import QUICK

from specproof.conformance import Detector, MultiProblem, Verdict, check_sampler
from specproof.conformance.stages.beside_degenerate import ordinary_beside

LONGER = 2000
"""So many calls of one trial, as the default has, and an eighth of that many beside degenerate rows."""


def greedy_if(condition: Any) -> Any:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        greedy = target_probs.max(axis=1) == 1.0
        if greedy.any() and condition(len(target_probs)):
            target_probs = np.eye(target_probs.shape[1])[target_probs.argmax(axis=1)]
        return first_draft(draft_probs, target_probs, draft_tokens, rng)

    return verify


def test_one_greedy_row_that_makes_all_rows_greedy_is_seen_and_named() -> None:
    report = check_sampler(greedy_if(lambda n: True), "multi", budget=QUICK)
    assert report.verdict is Verdict.BIASED
    assert [finding.detector for finding in report.findings] == [Detector.BESIDE]
    assert "in batches of many that have rows of 'equal point masses', 'point masses', 'first and last" in report.reason
    assert report.instance is not None
    assert len(report.instance.neighbours) == 3
    assert "in one batch with trials of:" in str(report)


@pytest.mark.slow
def test_what_shows_in_small_batches_alone_is_seen() -> None:
    report = check_sampler(greedy_if(lambda n: n == 3), "multi", budget=replace(QUICK, small=LONGER))
    assert report.verdict is Verdict.BIASED
    assert "in batches of 3 that have rows of" in report.reason


def test_a_crash_beside_degenerate_rows_says_so() -> None:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        greedy = target_probs.max(axis=1) == 1.0
        if greedy.any() and not greedy.all():
            raise ValueError("one setting a batch")
        return first_draft(draft_probs, target_probs, draft_tokens, rng)

    report = check_sampler(verify, "multi", budget=QUICK)
    assert report.verdict is Verdict.CRASHES
    assert report.reason.startswith("on ordinary rows beside those of 'equal'")


def test_rows_that_are_treated_on_their_own_pass() -> None:
    assert check_sampler(first_draft, "multi", budget=QUICK).is_lossless


def test_the_ordinary_rows_have_the_shape_of_the_degenerate_ones() -> None:
    problem = ordinary_beside(MultiProblem([0.0, 1.0, 0.0], [0.0, 1.0, 0.0], 2))
    assert problem.shape == MultiProblem([0.0, 1.0, 0.0], [0.0, 1.0, 0.0], 2).shape
    assert problem.target_law == pytest.approx([1 / 6, 1 / 3, 1 / 2])


def test_what_is_wrong_alone_is_not_laid_to_the_degenerate_rows() -> None:
    """A law that no other stage asks for, wrong whatever stands beside it."""
    rising = np.arange(1.0, 4.0) / 6

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        tokens, accepted = first_draft(draft_probs, target_probs, draft_tokens, rng)
        if target_probs.shape[1] == rising.size:
            rows = np.flatnonzero((np.abs(target_probs - rising) < 1e-9).all(axis=1))
            tokens[rows], accepted[rows] = draft_tokens[rows, 0], 0
        return tokens, accepted

    report = check_sampler(verify, "multi", budget=QUICK)
    assert [finding.detector for finding in report.findings] == [Detector.BESIDE]
    assert "the law of ordinary rows is wrong in batches of many, seen in" in report.reason, report
    assert report.instance is not None
    assert not report.instance.neighbours
