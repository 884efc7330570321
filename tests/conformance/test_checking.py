"""The check as a whole: correct samplers pass, its level is kept, and what cannot be used is refused."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK, WHOLE

from specproof.conformance import (
    Budget,
    NotLossless,
    TooLittleEvidence,
    Verdict,
    assert_lossless,
    check_sampler,
)
from specproof.conformance.references import references, speculate, token_by_token
from specproof.conformance.sharpness import REFERENCES
from specproof.simulations.samplers.inversion import invert
from specproof.theory.errors import InvalidInput

SLOWLY = (
    *("priority layers", "block by block", "level by level, kseq", "speculative loop, as asked"),
    *("recursive", "priority", "walk by the target"),
)
"""The longest of their contracts, of which one costs as much as all others together, and second ones of a contract."""
QUICKLY = [pytest.param(name, marks=pytest.mark.slow if name in SLOWLY else (), id=name) for name in references()]


@pytest.mark.parametrize("name", QUICKLY)
def test_correct_samplers_are_lossless_by_a_quick_check(name: str) -> None:
    contract, sampler = references()[name]
    report = check_sampler(sampler, contract, budget=QUICK)
    assert report.verdict == Verdict.LOSSLESS, str(report)
    assert report.detectable_bias < 0.11


@pytest.mark.slow
@pytest.mark.parametrize("name", references())
def test_correct_samplers_are_lossless_by_the_default_check(name: str) -> None:
    contract, sampler = references()[name]
    report = check_sampler(sampler, contract, budget=WHOLE)
    assert report.verdict == Verdict.LOSSLESS, str(report)
    assert report.detectable_bias < 0.025
    assert max(report.detectable_bias_in_small_batches.values()) < 0.3
    assert report.instance is None
    assert report.diagnosis is None


def cautious(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: np.random.Generator) -> Any:
    """Token by token, but that 1e-3 is added to the denominator of each ratio."""
    trials, length = draft_tokens.shape
    emitted, rows = np.full((trials, length + 1), -1), np.arange(trials)
    for position, drafts in enumerate(draft_tokens.T):
        draft, target, own = draft_probs[rows, position], target_probs[rows, position], drafts[rows]
        chosen = np.arange(len(rows)), own
        kept = rng.random(len(rows)) < target[chosen] / (draft[chosen] + 1e-3)
        residual = np.maximum(target - draft, 0)
        weights = np.where(residual.sum(axis=1, keepdims=True) > 0, residual, target)
        replaced = invert(weights / weights.sum(axis=1, keepdims=True), rng.random(len(rows)))
        emitted[rows, position] = np.where(kept, own, replaced)
        rows = rows[kept]
    emitted[rows, length] = invert(target_probs[rows, length], rng.random(len(rows)))
    return emitted


@pytest.mark.slow
def test_a_small_number_in_a_denominator_is_seen_by_the_default_check() -> None:
    """The law is off by less than 0.01, which bets that do not see the drafts let pass."""
    report = check_sampler(cautious, budget=WHOLE)
    assert report.verdict == Verdict.BIASED, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("name", references())
def test_the_false_alarm_level_is_kept_by_small_checks(name: str) -> None:
    contract, sampler = references()[name]
    budget = Budget(first=64, rounds=2, small=3, degenerate=16, seconds=60.0)
    verdicts = [check_sampler(sampler, contract, level=0.01, seed=seed, budget=budget).verdict for seed in range(20)]
    # At a rate of 0.01 four alarms in 20 have probability 4e-5, at one of 0.5, as by a wrong threshold, 0.9987. That
    # each test keeps its level is shown exactly in evidence/test_e_processes.py; finer rates are the experiment's.
    assert sum(verdict not in (Verdict.LOSSLESS, Verdict.INCONCLUSIVE) for verdict in verdicts) < 4


def test_the_same_seed_gives_the_same_report() -> None:
    budget = Budget(first=64, rounds=2, small=3, degenerate=16, seconds=60.0)
    first, again, other = (check_sampler(token_by_token, seed=seed, budget=budget) for seed in (1, 1, 2))
    assert first == again
    assert first.acceptance != other.acceptance


def test_assert_lossless_shows_the_report() -> None:
    def drafts_only(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return draft_tokens[:, 0], np.zeros(len(draft_tokens), dtype=int)

    assert assert_lossless(speculate, "generate", budget=QUICK).is_lossless
    with pytest.raises(NotLossless, match="Smallest failing instance") as caught:
        assert_lossless(drafts_only, "multi", budget=QUICK)
    assert caught.value.report.verdict is Verdict.BIASED
    assert "emitted" in str(caught.value)  # the table, too


def test_what_the_sampler_raised_is_the_cause_without_our_frames() -> None:
    def verify(*_: Any) -> Any:
        raise RuntimeError("no luck")

    with pytest.raises(NotLossless, match="RuntimeError: no luck") as caught:
        assert_lossless(verify)
    cause = caught.value.__cause__
    assert isinstance(cause, RuntimeError)
    assert cause.__traceback__ is not None
    assert cause.__traceback__.tb_frame.f_code is verify.__code__
    assert pickle.loads(pickle.dumps(caught.value)).report == caught.value.report


def test_errors_are_named_as_their_users_import_them() -> None:
    assert str(NotLossless) == "<class 'specproof.conformance.NotLossless'>"


def test_too_little_evidence_is_an_error_of_its_own() -> None:
    budget = Budget(first=2, rounds=1, small=1, degenerate=2, seconds=60.0)
    with pytest.raises(TooLittleEvidence, match=r"^inconclusive") as caught:
        assert_lossless(token_by_token, budget=budget)
    assert not isinstance(caught.value, NotLossless)
    assert isinstance(caught.value, AssertionError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (TooLittleEvidence, str(caught.value))


def test_a_budget_of_trials_gives_the_same_report_however_slow_the_machine_is() -> None:
    def slowly(*arguments: Any) -> Any:
        time.sleep(0.002)
        return token_by_token(*arguments)

    quick, slow = (check_sampler(function, budget="ci") for function in (token_by_token, slowly))
    assert quick.is_lossless
    assert quick.detectable_bias < 0.2
    assert replace(slow, subject=quick.subject) == quick


@pytest.mark.parametrize("name", [*REFERENCES, "speculative loop, as asked"])
def test_a_budget_of_trials_is_enough_for_a_verdict_in_every_contract(name: str) -> None:
    contract, sampler = references()[name]
    report = check_sampler(sampler, contract, budget="ci")
    assert report.is_lossless, str(report)
    assert 30_000 < report.trials < 110_000  # as docs/in-your-ci.md says of loops of one text a call


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"contract": "forest"}, "contract is 'forest'"),
        ({"level": 0.0}, "level is 0"),
        ({"level": 1.5}, "level is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"time_limit": 0.0}, "time_limit is 0"),
        ({"arrays": "jax"}, "arrays is 'jax'"),
        ({"progress": 3}, "progress is 3: give a function"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        check_sampler(token_by_token, **arguments)


@pytest.mark.parametrize("name", ["check_sampler", "assert_lossless"])
def test_of_an_argument_that_cannot_be_used_a_test_shows_its_own_line_alone(name: str, tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    call = f"{name}(len, contract='forest')"
    path.write_text(f"from specproof.conformance import {name}\n\n\ndef test_it():\n    {call}\n", encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(path)]
    said = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path).stdout
    shown = said[said.index("def test_it") : said.index("short test summary")].splitlines()
    assert any("InvalidInput: contract is 'forest'" in line for line in shown), said
    assert len(shown) < 8, said
