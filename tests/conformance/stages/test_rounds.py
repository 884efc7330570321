"""Large batches: wrong laws, rows that are mixed up, and trials that depend on each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from broken_samplers import by_position, first_draft, in_groups, lenient_if, sharing, tiled
from check_budgets import ALL_ROUNDS, LONGER, QUICK
from shared_uniforms import Shared

from specproof.conformance import (
    Verdict,
    check_sampler,
    next_token_law,
)
from specproof.conformance.references import select


@pytest.mark.slow
@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param(lambda laws: laws[:, 3:], marks=pytest.mark.slow),
        lambda laws: laws if laws.shape[2] > 5 else laws[:0],
    ],
    ids=["long drafts", "large vocabularies"],
)
def test_what_shows_in_long_drafts_or_large_vocabularies_only_is_caught(hidden: Callable[..., Any]) -> None:
    def lenient(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        shown = draft_probs.copy()
        hidden(shown)[...] = 1e-9  # a draft law so small accepts everything
        return by_position(shown, target_probs, draft_tokens, rng)

    report = check_sampler(lenient, budget=ALL_ROUNDS)
    assert report.verdict == Verdict.BIASED, str(report)


@pytest.mark.slow
@pytest.mark.parametrize(
    "context",
    [
        pytest.param(
            lambda texts, prompt: np.where(np.arange(len(texts.T)) < prompt, 0, texts), marks=pytest.mark.slow
        ),
        lambda texts, _: texts[:, -1:],
    ],
    ids=["the prompt", "all but the last token"],
)
def test_a_loop_that_forgets_is_caught(context: Callable[..., Any]) -> None:
    def forgetful(draft: Any, target: Any, prompt: Any, length: int, n: int, rng: Any) -> Any:
        texts = np.tile(np.array(prompt), (n, 1))
        while texts.shape[1] < len(prompt) + length:
            seen = np.zeros_like(texts)
            part = context(texts, len(prompt)) if texts.shape[1] > len(prompt) else texts
            seen[:, texts.shape[1] - part.shape[1] :] = part
            law = next_token_law(target, seen).cumsum(axis=1)
            tokens = np.minimum((law <= rng.random((n, 1))).sum(axis=1), law.shape[1] - 1)
            texts = np.concatenate([texts, tokens[:, np.newaxis]], axis=1)
        return texts[:, len(prompt) :]

    report = check_sampler(forgetful, "generate", budget=ALL_ROUNDS)
    assert report.verdict == Verdict.BIASED, str(report)
    assert report.findings[0].problem == "whole history"


@pytest.mark.slow
def test_a_leak_of_half_a_percent_is_caught() -> None:
    def leaks(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        tokens, accepted = select("recursive", draft_probs, target_probs, draft_tokens, rng)
        leaked = rng.random(len(tokens)) < 0.005
        return np.where(leaked, draft_tokens[:, 0], tokens), np.where(leaked, 0, accepted)

    report = check_sampler(leaks, "multi", thorough=True)
    assert report.verdict == Verdict.BIASED
    assert any(finding.detector == "law" for finding in report.findings)
    assert report.seconds < 60


def test_trials_that_share_a_uniform_are_told_from_a_wrong_law() -> None:
    def shares(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        class Same:
            def random(self, shape: Any) -> Any:
                return np.broadcast_to(rng.random(shape[1:] if isinstance(shape, tuple) else ()), shape)

        return first_draft(draft_probs, target_probs, draft_tokens, Same())

    report = check_sampler(shares, "multi", budget=QUICK)
    assert report.verdict == Verdict.BIASED
    assert report.findings[0].detector == "batch"
    assert report.instance is not None
    assert report.instance.total_variation == 0.0


def test_neighbours_that_share_a_uniform_in_pairs_are_seen_though_every_law_is_right() -> None:
    def pairs(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        class Paired:
            def random(self, shape: Any) -> Any:
                return np.repeat(rng.random((shape[0] + 1, *shape[1:])), 2, axis=0)[: shape[0]]

        return first_draft(draft_probs, target_probs, draft_tokens, Paired())

    report = check_sampler(pairs, "multi", budget=ALL_ROUNDS)
    assert report.verdict == Verdict.BIASED
    assert any(finding.detector == "pairs" for finding in report.findings), str(report)


def test_rows_that_are_mixed_up_show_in_batches_of_different_problems() -> None:
    def first_row(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        same = np.broadcast_to(target_probs[:1], target_probs.shape)
        return first_draft(draft_probs, same, draft_tokens, rng)

    report = check_sampler(first_row, "multi", budget=QUICK)
    assert report.verdict == Verdict.BIASED
    assert report.findings[0].detector == "batch"
    assert "mixed up" in report.reason


@pytest.mark.parametrize(
    "source",
    [
        lambda n: np.where(np.arange(n) // 2 * 2 == np.arange(n), np.arange(n), np.arange(n) - 1),
        lambda n: np.where(np.arange(n) % 4 < 2, np.arange(n), np.arange(n) - 2),
        lambda n: np.arange(n) % max((n + 1) // 2, 1),
    ],
    ids=["next", "two apart", "half apart"],
)
def test_pairs_that_share_uniforms_are_seen(source: Callable[[int], Any]) -> None:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return first_draft(draft_probs, target_probs, draft_tokens, Shared(rng, source))

    report = check_sampler(verify, "multi", budget=QUICK)
    assert [finding.detector for finding in report.findings] == ["batch", "pairs"], str(report)
    assert "depend on each other" in report.reason


@pytest.mark.usefixtures("whole_second_look")
def test_what_is_wrong_in_large_batches_only_is_said_to_be() -> None:
    report = check_sampler(lenient_if(lambda drafts: len(drafts) > 100, 1e9), budget=QUICK)
    assert report.findings[0].detector == "batch"
    assert "in batches is another than one trial at a time" in report.reason


def test_a_fault_of_each_row_is_not_blamed_on_batches() -> None:
    report = check_sampler(lenient_if(lambda drafts: True, 1.5), budget=QUICK)
    assert report.verdict == Verdict.BIASED
    assert not any(finding.detector == "batch" for finding in report.findings)


def test_the_verifier_of_these_tests_is_lossless() -> None:
    assert check_sampler(by_position, budget=LONGER).is_lossless
    assert check_sampler(sharing(np.arange), budget=LONGER).is_lossless


@pytest.mark.parametrize(
    ("source", "first"),
    [
        (in_groups(2), 1),
        pytest.param(in_groups(2), 0, marks=pytest.mark.slow),
        pytest.param(in_groups(32), 0, marks=pytest.mark.slow),
        (tiled(4), 0),
        pytest.param(tiled(64), 0, marks=pytest.mark.slow),
        (in_groups(10**9), 0),
    ],
    ids=["pairs, from the second token on", "pairs", "groups of 32", "tiled by 4", "tiled by 64", "all"],
)
def test_of_trials_that_depend_on_each_other_no_law_is_said_to_be_wrong(
    source: Callable[[int], Any], first: int
) -> None:
    """Each trial's own law is the target's, so that a bound, a defect or a proof of loss would be a false statement."""
    report = check_sampler(sharing(source, first), budget=LONGER)
    assert report.verdict == Verdict.BIASED, str(report)
    assert {finding.detector for finding in report.findings} <= {"pairs", "batch", "uniforms"}, str(report)
    assert "depend on each other" in report.reason
    assert report.instance is not None
    assert report.instance.total_variation == 0.0
    assert report.diagnosis is None


def sharing_if(condition: Callable[..., bool]) -> Callable[..., Any]:
    """All trials of a call share their uniforms where the inputs meet a condition; the law of each is right."""

    def verify(*arguments: Any) -> Any:
        return sharing(in_groups(10**9) if condition(*arguments[:3]) else np.arange)(*arguments)

    return verify


@pytest.mark.parametrize(
    "condition",
    [lambda p, q, x: 4 <= len(x) <= 256 and len(x) != 64, lambda p, q, x: bool((q != q[:1]).any())],
    ids=["in small batches", "in batches of different problems"],
)
@pytest.mark.slow
@pytest.mark.usefixtures("whole_second_look")
@pytest.mark.parametrize("seed", [0, 1])
def test_trials_that_share_a_uniform_in_some_batches_only_have_no_law_that_is_wrong(
    condition: Callable[..., bool], seed: int
) -> None:
    report = check_sampler(sharing_if(condition), seed=seed, budget=replace(LONGER, small=2000))
    assert report.verdict == Verdict.BIASED, str(report)
    assert {finding.detector for finding in report.findings} <= {"pairs", "batch", "uniforms"}, str(report)
    assert "depend on each other" in report.reason
    assert report.instance is not None
    assert report.instance.total_variation == 0.0


@pytest.mark.slow
def test_pairs_that_share_a_uniform_in_batches_of_different_problems_only_are_seen() -> None:
    """No law shows it: two trials of a pair have the right law each, and pairs are independent."""

    def verify(*arguments: Any) -> Any:
        mixed = len(np.unique(arguments[1][:, 0], axis=0)) > 1
        return sharing(in_groups(2) if mixed else np.arange)(*arguments)

    report = check_sampler(verify, budget=LONGER)
    assert [finding.detector for finding in report.findings] == ["batch", "pairs"], str(report)
    assert "of different problems depend on each other" in report.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shift", "seed"),
    [(0.02, 4), (0.03, 3), (0.1, 0)],
)
def test_of_independent_trials_with_a_wrong_law_no_dependence_is_claimed(shift: float, seed: int) -> None:
    def generate(draft: Any, target: Any, prompt: Any, length: int, n: int, rng: Any) -> Any:
        tokens = np.tile(np.array(prompt, dtype=np.int64), (n, 1))
        for place in range(length):
            law = next_token_law(target, tokens)
            if place == 0:
                law[:, 0], law[:, 1] = law[:, 0] + shift, law[:, 1] - shift
            drawn = (law.cumsum(axis=1) <= rng.random((n, 1))).sum(axis=1, keepdims=True)
            tokens = np.concatenate([tokens, np.minimum(drawn, law.shape[1] - 1)], axis=1)
        return tokens[:, len(prompt) :]

    report = check_sampler(generate, "generate", seed=seed, budget=ALL_ROUNDS)
    assert report.verdict == Verdict.BIASED
    assert "depend on each other" not in str(report), str(report)
    assert report.diagnosis is not None
