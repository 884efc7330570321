"""Degenerate problems: crashes, hangs, and tokens that the target forbids."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import (
    Verdict,
    check_sampler,
)
from specproof.conformance.references import select, token_by_token


def test_a_crash_on_a_degenerate_problem_is_found_and_named() -> None:
    def unguarded(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        if np.any((draft_probs == target_probs[:, :-1]).all(axis=(1, 2)) & (target_probs.shape[2] == 3)):
            raise ValueError("probabilities contain NaN")
        return token_by_token(draft_probs, target_probs, draft_tokens, rng)

    report = check_sampler(unguarded, "chain", budget=replace(QUICK, rounds=1, small=1))
    assert report.verdict == Verdict.CRASHES
    assert "probabilities contain NaN" in report.reason


def test_a_token_that_the_target_forbids_is_invalid_output_where_nothing_else_is_wrong() -> None:
    def careless(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        tokens, accepted = select("single", draft_probs, target_probs, draft_tokens, rng)
        forbidden = (target_probs == 0).any(axis=1)
        return np.where(forbidden, (target_probs == 0).argmax(axis=1), tokens), np.where(forbidden, -1, accepted)

    report = check_sampler(careless, "multi", budget=QUICK)
    assert report.verdict == Verdict.INVALID
    assert "target probability 0" in report.reason


@pytest.mark.slow
def test_a_hang_on_a_degenerate_problem_ends_these_and_a_message_that_sounds_like_one_does_not() -> None:
    def verify(*arguments: Any, hang: bool) -> Any:
        if (arguments[1] == 1).any():
            time.sleep(30 * hang)
            raise RuntimeError("the kernel did not return a token")
        return token_by_token(*arguments)

    report = check_sampler(partial(verify, hang=True), time_limit=2.0)
    assert any("on which it hung, were left out" in note for note in report.notes), str(report)
    report = check_sampler(partial(verify, hang=False), budget=QUICK)
    assert "more problems" in report.reason
