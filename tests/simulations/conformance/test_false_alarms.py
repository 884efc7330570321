"""The experiment on false alarms runs and prints its rate."""

from __future__ import annotations

import pytest

from simulations.conformance.false_alarms import main


def test_it_prints_rate_and_interval(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--checks", "6", "--jobs", "1", "--level", "1e-6"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("all")
    assert "0 alarms in" in lines[-2]
    assert "stated level 1e-06" in lines[-1]
