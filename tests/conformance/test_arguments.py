"""What a check is asked for: what cannot be used is refused at the door, and what is at its edge can be used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from specproof.conformance import Budget, check_sampler
from specproof.conformance.arguments import DEFAULT, LEAST_LEVEL, LONGEST
from specproof.conformance.defects import DEFECTS
from specproof.conformance.references import token_by_token
from specproof.theory.errors import InvalidInput

SMALL = Budget(first=1000, rounds=1, small=3, degenerate=16, seconds=60.0, candidates=4)


@pytest.mark.parametrize("seconds", [1e11, 86_401, float("inf"), float("nan"), 0, "10", True, None])
def test_a_time_limit_that_no_clock_takes_is_refused(seconds: Any) -> None:
    with pytest.raises(InvalidInput, match=r"Budget\.seconds is .*: it must be"):
        replace(DEFAULT, seconds=seconds)
    if seconds is not None:  # the default
        with pytest.raises(InvalidInput, match=r"time_limit is .*: it must be"):
            check_sampler(token_by_token, time_limit=seconds)


@pytest.mark.parametrize("level", [5e-324, 1e-101, 1.0, 0, float("nan"), "1e-6", True, None])
def test_a_level_that_leaves_a_test_none_is_refused(level: Any) -> None:
    with pytest.raises(InvalidInput, match=r"level is .*: it must be"):
        check_sampler(token_by_token, level=level)


@pytest.mark.parametrize("level", [LEAST_LEVEL, pytest.param(1 - 1e-16, marks=pytest.mark.slow)])
def test_at_the_ends_of_what_is_taken_a_check_has_a_report(level: float) -> None:
    report = check_sampler(token_by_token, level=level, time_limit=LONGEST, budget=SMALL)
    assert report.verdict in ("lossless", "inconclusive")
    broken = next(defect for defect in DEFECTS if defect.name == "always-accepted")
    assert check_sampler(broken.sampler, broken.contract, level=level, budget=SMALL).verdict == "biased"
