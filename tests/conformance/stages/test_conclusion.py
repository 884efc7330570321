"""The verdict of a check that sees too little, and what is noted."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import (
    Budget,
    Verdict,
    check_sampler,
)
from specproof.conformance.references import select, token_by_token


def test_manners_are_noted(capsys: pytest.CaptureFixture[str]) -> None:
    def rude(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        print("verifying")
        result = select("single", draft_probs, target_probs, draft_tokens, rng)
        target_probs[:] = 0
        return result

    report = check_sampler(rude, "multi", budget=QUICK)
    assert report.verdict == Verdict.LOSSLESS
    assert [any(word in note for note in report.notes) for word in ("in place", "prints", "less than")] == [True] * 3
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_an_optimal_sampler_is_not_said_to_be_slow() -> None:
    """The chance that any of the intervals misses is the check's level, however many problems and looks there are."""
    report = check_sampler(token_by_token, level=1e-4, budget=QUICK)
    seen = report.acceptance[0]
    assert not any(row.is_slow for row in report.acceptance)
    assert seen.high - seen.low > 2 * 3.9 * math.sqrt(
        seen.measured * (1 - seen.measured) / seen.trials
    )  # wider than 1e-4


def test_a_sampler_too_slow_to_say_anything_is_inconclusive() -> None:
    def slow(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        time.sleep(0.0005 * len(draft_tokens))
        return select("single", draft_probs, target_probs, draft_tokens, rng)

    report = check_sampler(slow, "multi", time_limit=1.0)
    assert report.verdict == Verdict.INCONCLUSIVE
    assert "allow more time" in report.reason


@pytest.mark.parametrize("budget", [Budget(1, 1, 1, 1, 60.0), Budget(20, 2, 5, 20, 60.0)])
def test_a_budget_that_sees_nothing_is_inconclusive(budget: Budget) -> None:
    report = check_sampler(token_by_token, budget=budget)
    assert report.verdict == Verdict.INCONCLUSIVE
    assert "a larger budget" in report.reason


def test_a_sampler_that_takes_long_for_every_trial_is_not_called_a_hang() -> None:
    def slow(*arguments: Any) -> Any:
        time.sleep(0.02 * len(arguments[2]))
        return token_by_token(*arguments)

    report = check_sampler(slow, time_limit=2.0)
    assert report.verdict == Verdict.INCONCLUSIVE, str(report)


def test_slowness_that_begins_with_the_second_draft_is_noted() -> None:
    def first_draft_alone(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        emitted = token_by_token(draft_probs[:, :1], target_probs[:, :2], draft_tokens[:, :1], rng)
        return np.pad(emitted, ((0, 0), (0, draft_tokens.shape[1] - 1)), constant_values=-1)

    report = check_sampler(first_draft_alone, budget=QUICK, problem="two drafts, no memory")
    assert report.is_lossless
    assert "on 'two drafts, no memory' the first 2 drafts were emitted in" in report.notes[-1]
    assert "by the plain rule in 0.640" in report.notes[-1]


def test_the_plain_rule_is_not_called_slow() -> None:
    assert not check_sampler(token_by_token, budget=QUICK, problem="two drafts, no memory").notes
