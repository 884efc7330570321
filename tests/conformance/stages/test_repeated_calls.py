"""Calls with the same generator and with others: where the randomness comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from broken_samplers import by_position
from check_budgets import LONGER, QUICK

from specproof.conformance import (
    Verdict,
    check_sampler,
)
from specproof.conformance.defects import DEFECTS
from specproof.conformance.references import token_by_token


@pytest.mark.slow
def test_its_own_uniforms_are_a_fault_if_they_repeat_and_a_note_if_not() -> None:
    def repeats(*arguments: Any) -> Any:
        return token_by_token(*arguments[:3], np.random.default_rng(0))

    def elsewhere(*arguments: Any) -> Any:
        return token_by_token(*arguments[:3], np.random.default_rng())

    assert check_sampler(repeats, budget=QUICK).findings[0].detector == "uniforms"
    report = check_sampler(elsewhere, budget=QUICK)
    assert report.verdict == Verdict.LOSSLESS
    assert not report.reproducible
    assert "draws from elsewhere, counts its calls, or its threads draw in another order" in report.notes[0]
    report = check_sampler(elsewhere, budget=QUICK, require_seed=True)
    assert (report.verdict, report.findings[0].detector) == (Verdict.INVALID, "seed")
    assert check_sampler(token_by_token, budget=QUICK, require_seed=True).reproducible


@pytest.mark.slow
def test_uniforms_of_its_own_for_long_drafts_only_are_noticed() -> None:
    def elsewhere(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        own = draft_probs.shape[2] > 5
        return token_by_token(draft_probs, target_probs, draft_tokens, np.random.default_rng() if own else rng)

    assert not check_sampler(elsewhere, budget=QUICK).reproducible


@pytest.mark.parametrize("first", [0, pytest.param(64, marks=pytest.mark.slow)])
def test_rows_with_uniforms_of_their_own_are_seen_though_every_law_is_right(first: int) -> None:
    """From some row on, each row draws from a stream that is the same in every call."""

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        class Stale:
            def random(self, shape: Any) -> Any:
                uniforms = rng.random(shape)
                uniforms[first:] = np.random.default_rng(5).random(shape)[first:]
                return uniforms

        return by_position(draft_probs, target_probs, draft_tokens, Stale())

    report = check_sampler(verify, budget=LONGER)
    *batch, own = report.findings
    assert own.detector == ("uniforms" if first == 0 else "rows"), str(report)
    assert [finding.detector for finding in batch] in ([], ["batch"]), str(
        report
    )  # what a row draws depends on its place


@pytest.mark.parametrize("bits", [*(pytest.param(few, marks=pytest.mark.slow) for few in (2, 4)), 6])
def test_few_streams_are_noticed(bits: int) -> None:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return token_by_token(
            draft_probs, target_probs, draft_tokens, np.random.default_rng(int(rng.integers(2**bits)))
        )

    report = check_sampler(verify, budget=LONGER)
    assert any(finding.detector == "uniforms" and "few streams" in finding.text for finding in report.findings), str(
        report
    )


@pytest.mark.parametrize(
    "name",
    [
        "first-unverified",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("always-accepted", "typical-acceptance")),
    ],
)
def test_a_sampler_that_hardly_draws_is_not_said_to_ignore_its_generator(name: str) -> None:
    defect = next(entry for entry in DEFECTS if (entry.name, entry.contract) == (name, "chain"))
    report = check_sampler(defect.sampler, budget=QUICK)
    assert report.verdict == Verdict.BIASED
    assert not {"uniforms", "rows"} & {finding.detector for finding in report.findings}, str(report)


def test_an_output_that_depends_on_the_call_before_is_told_as_that() -> None:
    kept: dict[tuple[int, ...], Any] = {}

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        stale = kept.get(target_probs.shape, target_probs)
        kept[target_probs.shape] = target_probs.copy()
        return token_by_token(draft_probs, np.concatenate([target_probs[:, :-1], stale[:, -1:]], 1), draft_tokens, rng)

    report = check_sampler(verify, budget=QUICK)
    assert report.verdict == Verdict.BIASED, str(report)
    assert report.findings[0].detector == "calls"
    assert "depends on the calls before" in report.reason
    assert "left open" in report.reason
    assert "mixed up" not in str(report)
    assert "draws from elsewhere" not in str(report)
    assert report.diagnosis is None


@pytest.mark.slow
def test_a_cache_that_changes_nothing_is_not_said_to_matter() -> None:
    kept: list[Any] = []

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        kept[:] = [target_probs]
        return token_by_token(draft_probs, target_probs, draft_tokens, rng)

    report = check_sampler(verify, budget=QUICK)
    assert report.verdict == Verdict.LOSSLESS, str(report)
    assert report.notes == ()
