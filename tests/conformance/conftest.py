"""What every test of the kit has: second looks that are long enough for gross defects."""

from __future__ import annotations

import pytest

from specproof.conformance.explanation import cause

SINGLES = cause.SINGLES
"""Batches are held against so many single trials, once there was an alarm."""


@pytest.fixture(autouse=True)
def few_single_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of them: they take half the time of a check that alarms, and what is looked for in tests is gross."""
    monkeypatch.setattr(cause, "SINGLES", SINGLES // 4)


@pytest.fixture
def all_single_trials(few_single_trials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as a check outside the tests has."""
    monkeypatch.setattr(cause, "SINGLES", SINGLES)
