"""A rule that is declared to be lossy: within what it declares, above it, or neither for certain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import NotLossless, Verdict, assert_lossless, check_sampler
from specproof.conformance.evidence.distance import lower_bound, upper_bound
from specproof.conformance.references import select
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
