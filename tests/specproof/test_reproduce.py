"""Whole runs: exit status, what is written, and that nothing but the settings decides the evidence."""

from __future__ import annotations

import errno
import gc
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

CELLS = 6
"""Of fake.sleepy."""


def cells_of(out: Path) -> dict[Path, int]:
    """The kept cells and when each was written."""
    return {path: path.stat().st_mtime_ns for path in (out / "cells").rglob("*") if path.is_file()}


def test_a_run_that_holds_writes_everything_and_ends_with_0(fake_command: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = fake_command("reproduce", "fake.sleepy", "--seed", 3, "--out", out, "--jobs", 1)
    assert (outcome.status, outcome.lines) == (0, [])
    assert len(outcome.progress) == CELLS
    assert {path.name for path in out.iterdir()} == {
        "cells",
        "evidence.csv",
        "evidence.parquet",
        "manifest.json",
        "report.html",
        "tables",
    }
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["settings"]["seed"] == 3
    assert manifest["claims"] == {"fake.sleepy": "consistent"}
    assert manifest["family_level"] == pytest.approx(CELLS * manifest["test_level"])
    assert manifest["packages"]["numpy"]
    table = pd.read_parquet(out / "evidence.parquet")
    assert list(table["cell"].unique()) == [f"draw-{index}" for index in range(CELLS)]
    assert table["seed"].eq(3).all()
    pd.testing.assert_frame_equal(table, pd.read_csv(out / "evidence.csv"), check_exact=False)
    assert len(pd.read_parquet(out / "tables" / "fake.sleepy.draws.parquet")) == CELLS


@pytest.mark.parametrize(
    ("claim", "surprise"), [("refuted", "refuted: fake.refuted"), ("tame", "control not refuted: fake.tame")]
)
def test_a_surprise_is_printed_and_ends_with_1(fake_command: Any, tmp_path: Path, claim: str, surprise: str) -> None:
    outcome = fake_command("reproduce", f"fake.{claim}", "--out", tmp_path / "out")
    assert outcome.status == 1
    assert surprise in " ".join(outcome.out.split())
    assert "(seed 0, cell only)" in " ".join(outcome.out.split())
    assert (tmp_path / "out" / "evidence.parquet").exists()


def test_a_control_without_the_data_to_be_refuted_by_is_no_surprise_and_is_counted_apart(
    fake_command: Any, tmp_path: Path
) -> None:
    outcome = fake_command("reproduce", "fake.scarce", "--out", tmp_path / "out")
    assert outcome.status == 0
    assert "fake.scarce holds 1/1 0/0 0/1 (1 inconclusive)" in " ".join(outcome.out.split())


def test_what_must_be_said_of_a_claim_is_printed_and_written(fake_command: Any, tmp_path: Path) -> None:
    note = "on other models than the paper's: see specproof [models]"
    for claim, notes in (("fake.noted", {"fake.noted": note}), ("fake.sleepy", {})):
        outcome = fake_command("reproduce", claim, "--out", tmp_path / "out", "--jobs", 1)
        assert outcome.status == 0
        assert [line for line in outcome.out.splitlines() if note in line] == [f"{k}: {v}" for k, v in notes.items()]
        assert json.loads((tmp_path / "out" / "manifest.json").read_text())["notes"] == notes


def test_the_scorer_is_a_setting(fake_command: Any, tmp_path: Path) -> None:
    for words, scorer in (((), "likelihood"), (("--scorer", "hf: some/model "), "hf:some/model")):
        assert fake_command("reproduce", "fake.noted", "--out", tmp_path / "out", *words).status == 0
        assert json.loads((tmp_path / "out" / "manifest.json").read_text())["settings"]["scorer"] == scorer


def test_the_seed_decides(fake_command: Any, evidence: Callable[[Path], pd.DataFrame], tmp_path: Path) -> None:
    out = tmp_path / "out"
    draws = []
    for seed in (1, 2, 1):
        assert fake_command("reproduce", "fake.sleepy", "--out", out, "--jobs", 1, "--seed", seed).status == 0
        draws.append(evidence(out)["estimate"].to_list())
    assert draws[0] == draws[2] != draws[1]
    assert len(cells_of(out)) == 2 * CELLS


def test_a_run_that_replaces_another_names_both_before_it_starts(fake_command: Any, tmp_path: Path) -> None:
    """By what they were asked for, and by the claims that only the earlier one is about; the same again loses none."""
    out, prompts = tmp_path / "out", tmp_path / "mine.jsonl"
    prompts.write_text('{"text": "mine"}\n')
    runs: list[tuple[list[object], str]] = [
        (["fake.noted", "fake.tame"], ""),
        (["fake.noted", "fake.tame"], ""),
        (["fake.noted"], "1 more claim"),
        (["fake.noted", "fake.scarce", "fake.tame"], ""),
        (["fake.noted", "--seed", 7, "--pair", "skip:12"], "seed 0 (now 7), pair rtn:4 (now skip:12), 2 more claims"),
        (["fake.noted", "--seed", 7, "--pair", "skip:12", "--prompts", prompts], "other prompts"),
    ]
    for words, held in runs:
        outcome = fake_command("reproduce", *words, "--out", out)
        told = f"specproof: warning: {out} holds a run with {held}: its evidence, manifest and figures are replaced"
        assert [line.partition(" and its finished cells")[0] for line in outcome.lines] == [told] * bool(held)
        assert outcome.err.startswith("specproof: warning" * bool(held))


@pytest.mark.parametrize("content", ["", "[]", '{"settings": 5, "claims": {}}'])
def test_a_manifest_of_something_else_is_none_of_ours(fake_command: Any, tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    outcome = fake_command("reproduce", "fake.noted", "--out", tmp_path)
    assert (outcome.status, outcome.lines) == (0, [])


def test_killed_in_the_middle_goes_on_and_neither_that_nor_the_number_of_jobs_shows(
    fake_command: Any, launch: Any, evidence: Callable[[Path], pd.DataFrame], tmp_path: Path
) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    run = launch("reproduce", "fake.sleepy", "--out", out, "--jobs", 2)
    run.wait_for_cells(2)
    run.signal(signal.SIGKILL)
    assert run.finish().status == -signal.SIGKILL
    kept = {path: written for path, written in cells_of(out).items() if not path.name.startswith(".")}
    assert 2 <= len(kept) < CELLS
    again = fake_command("reproduce", "fake.sleepy", "--out", out, "--jobs", 1)
    assert (again.status, again.lines) == (0, [])
    after = cells_of(out)
    assert {path: after[path] for path in kept} == kept
    assert len([path for path in after if not path.name.startswith(".")]) == CELLS
    assert fake_command("reproduce", "fake.sleepy", "--out", whole, "--jobs", 1).status == 0
    pd.testing.assert_frame_equal(evidence(out), evidence(whole), check_exact=True)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_interrupt_is_one_line_and_leaves_whole_files(
    fake_command: Any, launch: Any, tmp_path: Path, jobs: int
) -> None:
    out = tmp_path / "out"
    run = launch("reproduce", "fake.sleepy", "--out", out, "--jobs", jobs)
    run.wait_for_cells(1)
    run.signal(signal.SIGINT)
    outcome = run.finish()
    assert (outcome.status, outcome.out) == (130, "")
    assert outcome.lines == ["specproof: interrupted; finished cells are kept, and the same command goes on from them"]
    kept = cells_of(out)
    assert len(kept) == len(outcome.progress) < CELLS
    assert all(json.loads(path.read_text())["rows"] for path in kept)
    assert {path.name for path in out.iterdir()} == {"cells"}
    assert fake_command("reproduce", "fake.sleepy", "--out", out, "--jobs", 1).status == 0
    assert kept.items() <= cells_of(out).items()


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        pytest.param("refused", "the model is broken: choose another", marks=pytest.mark.slow),
        ("died", "a worker process died"),
    ],
)
def test_trouble_in_a_worker_is_one_line(launch: Any, tmp_path: Path, claim: str, message: str) -> None:
    outcome = launch("reproduce", f"fake.{claim}", "--out", tmp_path / "out", "--jobs", 2).finish()
    assert outcome.status == 2
    assert len(outcome.lines) == 1
    assert message in outcome.lines[0]


@pytest.mark.parametrize("broken", ["touch", "replace"])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    fake_command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, broken, full)
    outcome = fake_command("reproduce", "fake.sleepy", "--out", tmp_path / "out", "--jobs", 1)
    assert outcome.status == 2
    assert outcome.err.startswith(f"specproof: error: cannot write {tmp_path}/out/cells/fake.sleepy/draw-0-")
    assert "No space left on device" in outcome.err
    assert "free some space or choose another folder" in outcome.err
    assert outcome.err.count("\n") == 1
    assert cells_of(tmp_path / "out") == {}
    monkeypatch.undo()


@pytest.mark.parametrize("where", ["file", "file/below", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_told_before_any_work(fake_command: Any, tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("mine")
    outcome = fake_command("reproduce", "fake.sleepy", "--out", tmp_path / where)
    assert outcome.status == 2
    assert len(outcome.err.splitlines()) == 1
    assert str(tmp_path / where) in outcome.err
    assert "choose a folder that can be written to" in outcome.err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_one_line(
    fake_command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("specproof.simulations.experiments.workers.PATIENCE", 0.3)
    outcome = fake_command("reproduce", "fake.sleepy", "--out", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:1")
    gc.collect()  # the dead client: left to chance, its end can lock up the start of the next one
    assert outcome.status == 2
    assert len(outcome.err.splitlines()) == 1
    assert "scheduler tcp://127.0.0.1:1 does not answer" in outcome.err
