"""What every test of the kit has: second looks that are long enough for gross defects."""

from __future__ import annotations

import pytest

from specproof.conformance.explanation import cause

WHOLE = {name: getattr(cause, name) for name in ("SINGLES", "MOST_SMALL", "LARGEST_CALL")}
"""How much of each kind a check outside the tests looks at again, once there was an alarm."""


@pytest.fixture(autouse=True)
def short_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of it: the whole takes most of a check that alarms, and what is looked for in tests is gross."""
    for name, number in WHOLE.items():
        monkeypatch.setattr(cause, name, number // 4)


@pytest.fixture
def whole_second_look(short_second_look: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As much as a check outside the tests has."""
    for name, number in WHOLE.items():
        monkeypatch.setattr(cause, name, number)
