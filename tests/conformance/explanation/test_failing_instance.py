"""What is shown as a failing instance fails: in the trials that are shown, and whatever was called before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from broken_samplers import always, first_draft, only_if
from check_budgets import QUICK

from specproof.conformance import MultiProblem, Verdict, check_sampler
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.explanation import explain
from specproof.conformance.explanation.case import Case
from specproof.conformance.explanation.failing_instance import describe
from specproof.conformance.references import token_by_token
from specproof.conformance.report.finding import Detector, Finding
from specproof.conformance.subject.sampler_under_test import Subject

UNEVEN, EQUAL = MultiProblem([0.6, 0.4], [0.2, 0.8], 1), MultiProblem([0.5, 0.5], [0.5, 0.5], 1)
ALARM = Finding(Verdict.BIASED, Detector.LAW, "uneven", "the law is wrong")


def first_always(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    return draft_tokens[:, 0], np.zeros(len(draft_tokens), dtype=int)


def case_of(function: Callable[..., Any]) -> Case:
    subject = Subject(function, "numpy", 100.0, 100.0)
    rng = np.random.default_rng(0)
    return Case(subject, Watch(UNEVEN, "uneven"), [], 1e-6, rng, time.monotonic() + 100.0, 12)


def test_trials_that_look_like_the_targets_are_no_failing_instance() -> None:
    case = case_of(first_draft)
    fresh = describe(case, UNEVEN, "uneven", case.alone())
    assert fresh.shown is None
    assert f"{fresh.instance.trials:,} fresh trials of 'uneven' do not refute the target's law" in fresh.doubt


def test_trials_that_refute_the_target_are_shown_without_a_doubt() -> None:
    case = case_of(first_always)
    fresh = describe(case, UNEVEN, "uneven", case.alone())
    assert fresh.shown is fresh.instance
    assert fresh.doubt == ""
    assert fresh.emitted.sum() == fresh.instance.trials


def test_a_smallest_instance_that_does_not_fail_again_gives_way_to_that_of_the_alarm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explain, "smallest", lambda case: EQUAL)  # on which no rule can go wrong
    explained = explain.explain_batches(case_of(first_always), [ALARM])
    assert explained.instance is not None
    assert (explained.instance.problem, explained.instance.name) == (UNEVEN, "uneven")


def test_a_fault_of_calls_of_some_sizes_alone_has_no_instance_of_other_sizes() -> None:
    """Rounds begin with calls of 1,000 trials; those that look again have powers of two."""
    report = check_sampler(only_if(lambda n: n >= 1000 and n % 16 != 0, always), budget=QUICK)
    assert report.verdict is Verdict.BIASED
    assert report.instance is None, str(report)
    assert any("no failing instance is shown" in note for note in report.notes), str(report)
    assert "Total variation at least" not in str(report)


def test_what_a_larger_call_left_behind_is_told_as_that() -> None:
    """Rows of the bonus are read at the end of a workspace that has the size of the largest call so far."""
    kept: dict[tuple[int, ...], Any] = {}

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        shape, trials = target_probs.shape[1:], len(target_probs)
        if len(kept.get(shape, ())) <= trials:
            kept[shape] = target_probs.copy()
        else:
            kept[shape][:trials] = target_probs
        stale = kept[shape][-trials:, -1:]
        return token_by_token(draft_probs, np.concatenate([target_probs[:, :-1], stale], 1), draft_tokens, rng)

    report = check_sampler(verify, budget=QUICK)
    assert report.verdict is Verdict.BIASED, str(report)
    assert "calls" in {finding.detector for finding in report.findings}, str(report)
    assert "depends on the calls before" in str(report)
    assert (report.instance, report.diagnosis, report.reproducible) == (None, None, False)
