"""Small batches: what is wrong in batches of some size only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from broken_samplers import always, by_position, first_draft, lenient_if, only_if, stale_bonus
from check_budgets import LONGER, QUICK

from specproof.conformance import (
    DEFAULT,
    Detector,
    Verdict,
    check_sampler,
)
from specproof.conformance.defects import DEFECTS
from specproof.conformance.references import token_by_token

REPLACED = next(defect for defect in DEFECTS if defect.name == "replaced-from-target")


@pytest.mark.parametrize(
    ("wrong", "fault", "calls", "said"),
    [
        pytest.param(lambda n: n == 1, stale_bonus, 2500, "batches of 1,", marks=pytest.mark.slow),
        pytest.param(lambda n: n == 2, always, 400, "batches of 2,", marks=pytest.mark.slow),
        pytest.param(lambda n: n == 3, always, 400, "batches of 3,", marks=pytest.mark.slow),
        (lambda n: 4 <= n < 64, always, 400, "batches of 4 to 256,"),
        pytest.param(lambda n: n == 8, always, 1200, "batches of 8,", marks=pytest.mark.slow),
    ],
)
def test_what_is_wrong_in_batches_of_some_size_only_is_seen(
    wrong: Callable[[int], bool], fault: Callable[..., Any], calls: int, said: str
) -> None:
    report = check_sampler(only_if(wrong, fault), budget=replace(LONGER, rounds=1, small=calls))
    assert report.verdict == Verdict.BIASED, str(report)
    assert report.findings[0].detector == Detector.SMALL_BATCHES
    assert said in report.reason


@pytest.mark.slow
def test_what_is_wrong_in_batches_of_one_only_is_said_to_be() -> None:
    report = check_sampler(lenient_if(lambda drafts: len(drafts) == 1, 3.0), budget=replace(QUICK, small=1000))
    assert (report.verdict, report.findings[0].detector) == (Verdict.BIASED, "small batches")
    assert "batches of 1," in report.reason
    assert not any(finding.detector == "batch" for finding in report.findings)
    assert report.instance is not None
    assert report.instance.total_variation > 0


def wrong_first_row(*arguments: Any) -> Any:
    """Every draft of the first row of a batch is accepted, and those of the others as they should be."""
    emitted = by_position(*arguments)
    if len(emitted) > 1:
        emitted[0] = always(*arguments)[0]
    return emitted


def shared_by_few(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    """Target draws without a look at the drafts; in batches of two to four by one uniform."""
    uniforms = rng.random((len(draft_tokens), 1))
    if 2 <= len(draft_tokens) <= 4:
        uniforms[:] = uniforms[0]
    emitted = np.full((len(draft_tokens), draft_tokens.shape[1] + 1), -1)
    emitted[:, 0] = (target_probs[:, 0].cumsum(axis=1) <= uniforms).sum(axis=1)
    return emitted


@pytest.mark.parametrize(
    ("verify", "said"),
    [
        (wrong_first_row, "the law of the first row of small batches is wrong"),
        (shared_by_few, "the first two rows of small batches do not have the law of two target draws"),
    ],
)
def test_what_is_wrong_in_one_row_or_two_is_seen(verify: Callable[..., Any], said: str) -> None:
    """Of all rows of a batch few are wrong, or none alone."""
    report = check_sampler(verify, budget=replace(LONGER, rounds=1, small=400))
    assert report.verdict == Verdict.BIASED, str(report)
    assert f"on 'three tokens' {said}, seen in " in report.reason
    assert report.instance is None


def test_a_known_defect_in_single_calls_is_seen_on_all_problems_together() -> None:
    """The replacement is drawn from the target, of which each problem has too few trials to learn."""
    verify = only_if(lambda n: n == 1, REPLACED.sampler)
    report = check_sampler(verify, budget=replace(LONGER, rounds=1, small=800))
    assert report.verdict == Verdict.BIASED, str(report)
    assert "on all problems together the law is wrong in batches of 1, seen in " in report.reason


@pytest.mark.usefixtures("whole_second_look")
@pytest.mark.parametrize(
    ("contract", "calls"), [pytest.param("chain", DEFAULT.small, marks=pytest.mark.slow), ("multi", 400)]
)
def test_rows_that_are_mixed_up_in_small_batches_only_are_seen(contract: str, calls: int) -> None:
    """The first row's laws for all: alone each law is right, beside another problem it is the other's now and then."""

    def verify(*arguments: Any) -> Any:
        draft_probs, target_probs, draft_tokens, rng = arguments
        if len(draft_tokens) <= 256:
            target_probs = np.broadcast_to(target_probs[:1], target_probs.shape)
        return first_draft(draft_probs, target_probs, draft_tokens, rng)

    def first_position(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        rows = target_probs.copy()
        if len(draft_tokens) <= 256:
            rows[:, 0] = rows[0, 0]
        return by_position(draft_probs, rows, draft_tokens, rng)

    budget = replace(QUICK, rounds=1, small=calls)  # large batches show nothing here
    report = check_sampler(verify if contract == "multi" else first_position, contract, budget=budget)
    assert report.verdict == Verdict.BIASED, str(report)
    assert "rows are mixed up" in report.reason


def test_what_a_budget_cannot_see_in_small_batches_is_said() -> None:
    report = check_sampler(token_by_token, budget=replace(QUICK, small=1))
    assert report.detectable_bias_in_small_batches["2"] == math.inf
    assert ", any of 2," in report.reason
    assert report.as_dict()["detectable_bias"]["small_batches"]["2"] is None


@pytest.mark.slow
def test_what_is_wrong_in_small_ragged_batches_only_is_seen() -> None:
    """In batches of two a row without drafts emits token 0."""

    def verify(*arguments: Any) -> Any:
        emitted, drafts = token_by_token(*arguments), arguments[2]
        if len(drafts) == 2:
            emitted[drafts[:, 0] < 0, 0] = 0
        return emitted

    report = check_sampler(verify, budget=replace(QUICK, rounds=1, small=400), problem="ragged, two drafts")
    assert report.verdict == Verdict.BIASED, str(report)
    assert report.findings[0].detector == Detector.SMALL_BATCHES
    assert "on 'ragged, two drafts' the law is wrong in batches of 2," in report.reason
