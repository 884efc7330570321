"""Captures that are interrupted go on from what is kept; what is kept of other settings is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specproof.simulations.traces.parts import Capture, Columns, Progress, parts_folder
from specproof.simulations.traces.trace import COLUMNS, Trace
from specproof.simulations.traces.trace_header import TextRecord, TraceHeader
from specproof.theory.errors import InvalidInput

ASKED = {"seed": 3, "prompts": "abc"}
GROUPS = 4


class Measured:
    """A measurement of one text of two tokens a group, which can be interrupted and counts what it does."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at = stop_at
        self.done: list[int] = []

    def __call__(self, number: int, _progress: Progress) -> Columns:
        if number == self.stop_at:
            raise KeyboardInterrupt
        self.done.append(number)
        columns = {name: np.full(2, -float(number)) for name in COLUMNS}
        return columns | {"text": np.full(2, number), "position": np.arange(2), "draft_temperature": np.ones(2)}


def run(measured: Measured, out: Path | None, *, asked: Any = ASKED, fresh: bool = False) -> Trace:
    records = tuple(TextRecord(str(number), 2, False) for number in range(GROUPS))
    names = tuple(f"group {number}" for number in range(GROUPS))
    capture = Capture(TraceHeader("arrays", "none", ()), names, measured, lambda _columns: records, asked)
    return capture.run(out, fresh=fresh)


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """The path of a trace whose capture was interrupted after two groups."""
    out = tmp_path / "trace.parquet"
    with pytest.raises(KeyboardInterrupt):
        run(Measured(stop_at=2), out)
    assert not out.exists()
    return out


def test_it_goes_on_where_it_was_and_the_trace_is_the_same(interrupted: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in parts_folder(interrupted).iterdir()) == [
        "group-000000.npz",
        "group-000001.npz",
        "settings.json",
    ]
    rest = Measured()
    run(rest, interrupted)
    assert rest.done == [2, 3]
    run(Measured(), tmp_path / "whole.parquet")
    assert interrupted.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"trace.parquet", "whole.parquet"}


def test_a_group_that_was_half_written_is_measured_again(interrupted: Path) -> None:
    folder = parts_folder(interrupted)
    kept = folder / "group-000001.npz"
    kept.write_bytes(kept.read_bytes()[:-40])
    (folder / ".group-000002.npz.part").write_bytes(b"PK")
    rest = Measured()
    run(rest, interrupted)
    assert rest.done == [1, 2, 3]
    assert not folder.exists()


def test_groups_of_other_settings_are_refused_in_one_line(interrupted: Path) -> None:
    untouched = Measured()
    with pytest.raises(InvalidInput, match=r"whose seed is 3, but now it is 4: .* --fresh$") as refused:
        run(untouched, interrupted, asked=ASKED | {"seed": 4})
    assert "\n" not in str(refused.value)
    assert str(parts_folder(interrupted)) in str(refused.value)
    assert untouched.done == []
    run(untouched, interrupted, asked=ASKED | {"seed": 4}, fresh=True)
    assert untouched.done == [0, 1, 2, 3]


@pytest.mark.parametrize("content", [None, "", "[]", '{"seed": 3'])
def test_groups_whose_settings_are_lost_are_refused(interrupted: Path, content: str | None) -> None:
    settings = parts_folder(interrupted) / "settings.json"
    settings.unlink()
    if content is not None:
        settings.write_text(content)
    with pytest.raises(InvalidInput, match="--fresh"):
        run(Measured(), interrupted)


def test_nothing_stays_of_a_capture_that_finished_no_group(tmp_path: Path) -> None:
    out = tmp_path / "trace.parquet"
    with pytest.raises(KeyboardInterrupt):
        run(Measured(stop_at=0), out)
    assert list(tmp_path.iterdir()) == []
    run(Measured(), out, asked=ASKED | {"seed": 4})


def test_files_that_are_not_ours_stay(interrupted: Path) -> None:
    note = parts_folder(interrupted) / "note.txt"
    note.write_text("mine")
    run(Measured(), interrupted)
    assert [path.name for path in parts_folder(interrupted).iterdir()] == ["note.txt"]


def test_nothing_is_kept_of_what_cannot_be_told_apart(tmp_path: Path) -> None:
    out = tmp_path / "trace.parquet"
    with pytest.raises(KeyboardInterrupt):
        run(Measured(stop_at=2), out, asked=None)
    assert list(tmp_path.iterdir()) == []
    trace = run(Measured(), out, asked=None)
    assert Trace.read(out).table.equals(trace.table)


def test_rows_are_sorted_by_text_temperature_and_position() -> None:
    class Backwards(Measured):
        def __call__(self, number: int, progress: Progress) -> Columns:
            columns = super().__call__(GROUPS - 1 - number, progress)
            return {name: values[::-1] for name, values in columns.items()}

    table = run(Backwards(), None).table
    assert table["text"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert table["position"].tolist() == [0, 1] * GROUPS
    assert table["target_logprob"].tolist() == [0, 0, -1, -1, -2, -2, -3, -3]
