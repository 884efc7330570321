"""The first calls: whether the function keeps its contract, and which problems it takes."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from broken_samplers import wrapped
from check_budgets import QUICK

from specproof.conformance import (
    Budget,
    Unsupported,
    Verdict,
    check_sampler,
)
from specproof.conformance.references import speculate, token_by_token


def raises(*_: Any) -> Any:
    raise ZeroDivisionError("float division\nby zero")


def exits(*_: Any) -> Any:
    sys.exit(3)


def goes_on(emitted: Any, drafts: Any, rng: Any) -> Any:
    emitted[:, -1] = 0
    return np.where(emitted < 0, 0, emitted)


@pytest.mark.parametrize(
    ("change", "verdict", "said"),
    [
        (raises, Verdict.CRASHES, "ZeroDivisionError: float division by zero"),
        (exits, Verdict.CRASHES, "SystemExit: 3"),
        (lambda emitted, *_: None, Verdict.INVALID, "a NoneType"),
        (lambda emitted, *_: emitted[0], Verdict.INVALID, "its shape must be"),
        (lambda emitted, *_: emitted.astype(float), Verdict.INVALID, "dtype float64"),
        (lambda emitted, *_: emitted + 7, Verdict.INVALID, "is out of range"),
        (lambda emitted, *_: emitted - 9, Verdict.INVALID, "is out of range for emitted (allowed: -1.."),
        (lambda emitted, *_: np.full_like(emitted, -1), Verdict.INVALID, "begins with -1"),
        (lambda emitted, *_: emitted[:, ::-1], Verdict.INVALID, "on 'two tokens, other laws': trial"),
        (goes_on, Verdict.INVALID, "not the draft's"),
    ],
)
def test_a_broken_contract_is_named(change: Any, verdict: Verdict, said: str) -> None:
    report = check_sampler(wrapped(change), budget=QUICK)
    assert report.verdict == verdict, str(report)
    assert said in report.reason
    assert "\n" not in report.reason


def test_a_hang_is_a_crash_and_is_left_behind() -> None:
    def hangs(*_: Any) -> Any:
        while True:
            time.sleep(0.01)

    report = check_sampler(hangs, time_limit=0.1)
    assert report.verdict == Verdict.CRASHES
    assert "did not return within 0.6 s: a longer time_limit (--time-limit) allows slower calls" in report.reason


def test_a_first_call_that_compiles_longer_than_the_time_limit_costs_nothing_of_it() -> None:
    calls = []

    def compiles(*arguments: Any) -> Any:
        if not calls:
            time.sleep(1.6)
        calls.append(0)
        return token_by_token(*arguments)

    report = check_sampler(compiles, budget=replace(QUICK, seconds=1.5))
    assert report.verdict == Verdict.LOSSLESS, str(report)
    assert report.seconds > 1.6


def test_an_exception_whose_message_cannot_be_read_is_a_crash() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no message")

    def mute(*_: Any) -> Any:
        raise Mute

    report = check_sampler(mute)
    assert report.verdict == Verdict.CRASHES
    assert "Mute: (its message cannot be read)" in report.reason


def test_problems_that_an_adapter_does_not_support_are_left_out_and_named() -> None:
    def no_long(draft: Any, target: Any, prompt: Any, length: int, n: int, rng: Any) -> Any:
        if length > 3:
            raise Unsupported("three tokens at most")
        return speculate(draft, target, prompt, length, n, rng)

    def nothing(*_: Any) -> Any:
        raise Unsupported("no models of this kind")

    report = check_sampler(no_long, "generate", budget=QUICK)
    assert report.is_lossless
    assert any("does not support 'longer'" in note and "three tokens at most" in note for note in report.notes)
    report = check_sampler(nothing, "generate", budget=QUICK)
    assert report.verdict == Verdict.INCONCLUSIVE
    assert "every problem was refused" in report.reason


def test_an_adapter_that_refuses_more_than_one_trial_is_told_to_loop() -> None:
    def one_text(draft: Any, target: Any, prompt: Any, length: int, n: int, rng: Any) -> Any:
        if n > 3:
            raise Unsupported("one text a call")
        return speculate(draft, target, prompt, length, n, rng)

    report = check_sampler(one_text, "generate", budget=QUICK)
    assert report.verdict == Verdict.CRASHES
    assert "one text a call" in report.reason
    assert "loops over the trials" in report.reason


def test_torch_verifiers_are_handed_tensors() -> None:
    torch = pytest.importorskip("torch")

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        assert isinstance(draft_probs, torch.Tensor)
        assert isinstance(draft_tokens, torch.Tensor)
        emitted = token_by_token(draft_probs.numpy(), target_probs.numpy(), draft_tokens.numpy(), rng)
        return torch.from_numpy(emitted)

    assert check_sampler(verify, arrays="torch", budget=QUICK).verdict == Verdict.LOSSLESS


@pytest.mark.slow
def test_a_loop_may_draft_as_far_ahead_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specproof.conformance.references.DRAFTED", 8)
    assert check_sampler(speculate, "generate", budget=QUICK).is_lossless


@pytest.mark.parametrize(("calls", "where"), [(40, "on ordinary problems"), (152, "on 'eight tokens")])
@pytest.mark.parametrize("raised", [RuntimeError("late"), KeyboardInterrupt(), MemoryError()])
def test_an_exception_in_a_later_call_is_a_crash_of_that_stage(calls: int, where: str, raised: BaseException) -> None:
    made: list[Any] = []

    def verify(*arguments: Any) -> Any:
        made.append(arguments)
        if len(made) > calls:
            raise raised
        return token_by_token(*arguments)

    budget = Budget(first=60, rounds=1, small=4, degenerate=8, seconds=100.0, candidates=2)
    report = check_sampler(verify, budget=budget)
    assert report.verdict is Verdict.CRASHES
    assert report.reason.startswith(where), report.reason
    assert type(raised).__name__ in report.reason
