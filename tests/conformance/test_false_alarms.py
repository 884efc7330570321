"""The experiment on false alarms runs, prints its rate, and goes on where it was left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from specproof.conformance import false_alarms
from specproof.conformance.defects import DEFECTS
from specproof.conformance.references import references


@pytest.mark.slow
def test_it_prints_rate_and_interval(capsys: pytest.CaptureFixture[str]) -> None:
    false_alarms.main(["--checks", "6", "--jobs", "1", "--level", "1e-6"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "budget small, level 1e-06 a check, seeds 0 to 0 of each sampler"
    assert lines[-1].startswith("all")
    assert "0 alarms in" in lines[-1]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("checks", "-5", "checks is -5: it must be an integer >= 1"),
        ("checks", "0", "checks is 0: it must be an integer >= 1"),
        ("level", "2", "level is 2.0: it must be at least 1e-100 and below 1, such as 1e-6"),
        ("level", "0", "level is 0.0: it must be at least 1e-100 and below 1, such as 1e-6"),
        ("jobs", "0", "jobs is 0: it must be an integer >= 1"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(
    capsys: pytest.CaptureFixture[str], option: str, value: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        false_alarms.main([f"--{option}", value])
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"python -m specproof.conformance.false_alarms: error: {said}\n")


@pytest.mark.slow
def test_it_goes_on_from_its_record(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    record = tmp_path / "record.csv"
    arguments = ["--checks", "1", "--jobs", "1", "--record", str(record)]
    false_alarms.main(arguments)
    first, written = capsys.readouterr().out, record.read_text()
    record.write_text("".join(f"{line},made up\n" for line in written.splitlines()))
    false_alarms.main(arguments)
    again = capsys.readouterr().out
    assert len(record.read_text().splitlines()) == len(written.splitlines()) == len(references())
    assert " 0 alarms in 1 checks" in first
    assert " 1 alarms in 1 checks" in again
    assert again.splitlines()[-1] == f"{list(references())[-1]}, made up"


@pytest.mark.slow
def test_it_counts_the_alarms_of_a_defect(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    entry = next(entry for entry in DEFECTS if entry.name == "always-accepted")
    small = false_alarms.EXPERIMENTS["small"]
    hasty, samplers = replace(small.budget, seconds=4.0), {entry.name: (entry.contract, entry.sampler)}
    broken = false_alarms.Experiment(hasty, 2, 1e-6, samplers, small.block)
    monkeypatch.setitem(false_alarms.EXPERIMENTS, "small", broken)
    false_alarms.main(["--jobs", "1"])
    out = capsys.readouterr().out
    assert "2 alarms in 2 checks" in out
    assert out.splitlines()[-1].startswith("always-accepted, seed 1: biased: ")


def test_an_interrupt_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(false_alarms, "alarms", interrupted)
    with pytest.raises(SystemExit) as ended:
        false_alarms.main(["--jobs", "1"])
    assert ended.value.code == 130
    assert capsys.readouterr().err.endswith("interrupted: with --record FILE it could go on\n")
