"""A rule that is declared to be lossy: within what it declares, above it, or neither for certain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import NotLossless, Verdict, assert_lossless, check_sampler
from specproof.conformance.evidence.distance import lower_bound, upper_bound
from specproof.conformance.references import round_until_unsure, select, token_by_token
from specproof.simulations.samplers.inversion import invert
from specproof.theory.errors import InvalidInput


def relaxed(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    """Verifies against a target with a tenth of the draft in it: its bias is a tenth of TV(p, q) everywhere."""
    return select("single", draft_probs, 0.9 * target_probs + 0.1 * draft_probs, draft_tokens, rng)


def test_a_rule_passes_within_what_it_declares() -> None:
    report = check_sampler(relaxed, "multi", within=0.2, budget=QUICK)
    assert report.verdict == Verdict.WITHIN, str(report)
    assert report.is_passed
    assert not report.is_lossless
    assert report.bias_at_most <= 0.2
    assert "at most" in str(report).splitlines()[0]


def test_a_rule_fails_above_what_it_declares() -> None:
    with pytest.raises(NotLossless, match=r"at least 0\.\d+, above the 0\.01 declared"):
        assert_lossless(relaxed, "multi", within=0.01, budget=QUICK)


def test_above_is_said_with_what_it_takes_for_granted() -> None:
    """One uniform for a whole batch leaves the law of each trial what it was."""

    def one_uniform(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        emitted = np.full((len(draft_tokens), draft_tokens.shape[1] + 1), -1)
        emitted[:, 0] = invert(target_probs[:, 0], np.full(len(emitted), rng.random()))
        return emitted

    reason = check_sampler(one_uniform, within=0.3, budget=QUICK).reason
    assert "above the 0.3 declared, if trials of a batch are independent" in reason


@pytest.mark.parametrize(("contract", "sampler"), [("chain", token_by_token), ("round", round_until_unsure)])
def test_fixed_draws_are_not_within_anything(contract: str, sampler: Any) -> None:
    def ignores_rng(*arguments: Any) -> Any:
        return sampler(*arguments[:-1], np.random.default_rng(0))

    report = check_sampler(ignores_rng, contract, within=0.6, budget=QUICK)
    assert report.verdict == Verdict.BIASED, str(report)
    assert any(finding.detector == "uniforms" and "ignores rng" in finding.text for finding in report.findings)


@pytest.mark.parametrize("contract", ["multi", "tree", "round"])
def test_a_rule_that_draws_nothing_is_not_said_to_ignore_its_generator(contract: str) -> None:
    """Its output follows from its inputs."""

    def first_draft(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        return draft_tokens[:, 0], np.zeros(len(draft_tokens), dtype=int)

    def likeliest(tree: Any, target_probs: Any, draft_probs: Any, rng: Any) -> Any:
        children = np.where(tree.parents == 0, tree.tokens, -1).max(axis=1)
        return np.pad(children[:, np.newaxis], ((0, 0), (0, tree.depth)), constant_values=-1)

    def from_the_prefix(draft_model: Any, target_model: Any, prefix: Any, length: int, rng: Any) -> Any:
        last = prefix[:, -1:] if prefix.shape[1] else np.zeros((len(prefix), 1), dtype=int)
        return np.pad(last, ((0, 0), (0, length)), constant_values=-1)

    rules = {"multi": first_draft, "tree": likeliest, "round": from_the_prefix}
    report = check_sampler(rules[contract], contract, within=0.999, budget=QUICK)
    assert report.findings == (), str(report)


def test_between_the_bounds_nothing_is_said() -> None:
    report = check_sampler(relaxed, "multi", within=0.08, budget=QUICK)
    assert report.verdict == Verdict.INCONCLUSIVE
    assert "neither certainly within the 0.08" in report.reason


@pytest.mark.parametrize("within", [0, 1, -0.1, float("nan"), "0.1"])
def test_what_is_no_total_variation_is_refused(within: Any) -> None:
    with pytest.raises(InvalidInput, match="within is"):
        check_sampler(relaxed, "multi", within=within)


def test_the_bounds_hold_and_close_in() -> None:
    law, other = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.3, 0.3])
    rng = np.random.default_rng(0)
    widths = []
    for trials in (100, 10_000, 1_000_000):
        counts = rng.multinomial(trials, other, size=200)
        low = [lower_bound(row, law, 0.01) for row in counts]
        high = [upper_bound(row, law, 0.01) for row in counts]
        assert sum(bound > 0.1 for bound in low) <= 8  # of 200 at a level of 0.01: more with probability 0.0003
        assert sum(bound < 0.1 for bound in high) <= 8
        widths.append(np.mean(high) - np.mean(low))
    assert widths[2] < 0.005 < widths[1] < widths[0]
