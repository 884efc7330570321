"""What is said about an alarm, whatever the function does meanwhile."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import (
    Verdict,
    check_sampler,
)
from specproof.conformance.defects import DEFECTS
from specproof.conformance.explanation import explain
from specproof.conformance.explanation.diagnosis import Observed, diagnose
from specproof.conformance.references import token_by_token


def raises(*_: Any) -> Any:
    raise ZeroDivisionError("float division\nby zero")


def exits(*_: Any) -> Any:
    sys.exit(3)


@pytest.mark.parametrize("late", [raises, exits, lambda *_: None])
def test_a_biased_function_that_breaks_after_its_alarm_stays_biased(late: Callable[..., Any]) -> None:
    accepted = np.zeros(1, dtype=int)

    def breaks(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        accepted[0] += len(draft_tokens)
        if accepted[0] > 50_000:  # the alarm comes in the first round
            return late()
        return draft_tokens[:, 0], np.zeros(len(draft_tokens), dtype=int)

    report = check_sampler(breaks, "multi", budget=QUICK)
    assert report.verdict == Verdict.BIASED
    assert report.findings[-1].verdict in (Verdict.CRASHES, Verdict.INVALID)
    assert "after the alarm" in report.findings[-1].text


def test_a_bias_comes_with_instance_bound_diagnosis_and_acceptance_above_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def residual_skipped(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        emitted = token_by_token(draft_probs, target_probs, draft_tokens, rng)
        for position in range(emitted.shape[1] - 1):
            drafts = draft_tokens[:, position]
            replaced = np.flatnonzero((emitted[:, position] >= 0) & (emitted[:, position] != drafts))
            cumulative = target_probs[replaced, position].cumsum(axis=1)
            emitted[replaced, position] = (cumulative > rng.random((replaced.size, 1)) * cumulative[:, -1:]).argmax(1)
        return emitted

    compared: list[Observed] = []
    monkeypatch.setattr(explain, "diagnose", lambda seen, known: diagnose(compared.extend(seen) or compared, known))
    report = check_sampler(residual_skipped)
    assert report.verdict == Verdict.BIASED
    assert report.instance is not None
    assert report.instance.problem.num_tokens == 2
    assert (compared[-1].problem, compared[-1].counts.sum()) == (report.instance.problem, report.instance.trials)
    assert report.diagnosis is not None
    assert report.diagnosis.name == "replaced-from-target"
    problem = report.instance.problem
    law = next(
        entry.law(problem) for entry in DEFECTS if (entry.name, entry.contract) == ("replaced-from-target", "chain")
    )
    exact = 0.5 * np.abs(problem.completed(law) - problem.target_law).sum()
    assert 0 < report.instance.total_variation < exact
    assert {finding.detector for finding in report.findings} >= {"law", "acceptance"}
    assert json.loads(json.dumps(report.as_dict()))["verdict"] == "biased"


def test_a_law_that_pairs_alone_have_alarmed_on_is_called_wrong_where_fresh_trials_refute_it() -> None:
    def greedy_where_sure(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        sure = target_probs.max(axis=-1, keepdims=True) > 0.9
        greedy = np.eye(target_probs.shape[-1])[target_probs.argmax(axis=-1)]
        return token_by_token(draft_probs, np.where(sure, greedy, target_probs), draft_tokens, rng)

    report = check_sampler(greedy_where_sure, budget=QUICK)
    assert report.instance is not None
    assert report.instance.total_variation > 0
    assert report.findings[0].detector == "law", str(report)
    assert "on the failing instance the law of the emitted tokens is not the target's" in report.reason
    assert "pairs" not in {finding.detector for finding in report.findings}


def test_calls_of_another_law_than_others_are_a_cause_that_is_named() -> None:
    calls = np.zeros(1, dtype=int)

    def every_fourth_call(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        calls[0] += 1
        return token_by_token(draft_probs, target_probs ** (1 + calls[0] % 4 // 3), draft_tokens, rng)

    report = check_sampler(every_fourth_call, budget=QUICK)
    assert report.findings[0].detector == "batch", str(report)
    assert "or their laws on their places or on the call" in report.reason
