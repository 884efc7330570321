"""Samplers of a hundred or a thousand trials a second, by a clock that counts trials."""

from __future__ import annotations

import pytest
from counted_clock import trials_a_second

from specproof.conformance import Verdict, check_sampler
from specproof.conformance.defects import DEFECTS, Defect
from specproof.conformance.references import token_by_token
from specproof.conformance.report.report import Report

QUICKLY_SEEN = ("block-with-token-residual", "greedy-for-all")
"""What takes most trials to see of what is wrong with a law, and beside degenerate rows."""


def name_of(entry: Defect) -> str:
    return f"{entry.contract}-{entry.name}"


def checked(entry: Defect, pace: float, seconds: float) -> Report:
    with trials_a_second(pace):
        return check_sampler(entry.sampler, entry.contract, time_limit=seconds, require_seed=True)


@pytest.mark.parametrize("entry", [it for it in DEFECTS if it.name in QUICKLY_SEEN], ids=name_of)
def test_what_is_hard_to_see_is_seen_at_a_hundred_trials_a_second(entry: Defect) -> None:
    report = checked(entry, 100.0, 60.0)
    assert report.verdict is Verdict.BIASED, report
    assert report.seconds <= 60
    assert report.diagnosis is None or report.diagnosis.name == entry.name


@pytest.mark.slow
@pytest.mark.parametrize("entry", DEFECTS, ids=name_of)
@pytest.mark.parametrize(("pace", "seconds"), [(100.0, 60.0), (1000.0, 20.0)])
def test_every_defect_is_seen_in_a_slow_sampler(entry: Defect, pace: float, seconds: float) -> None:
    report = checked(entry, pace, seconds)
    assert report.verdict not in (Verdict.LOSSLESS, Verdict.INCONCLUSIVE), report
    assert report.seconds <= 1.05 * seconds


def test_a_slow_lossless_sampler_has_no_finding_and_time_for_every_stage() -> None:
    with trials_a_second(100.0):
        report = check_sampler(token_by_token, time_limit=60.0)
    assert report.findings == ()
    assert report.seconds <= 60
    assert not [note for note in report.notes if "in batches of many" in note]
