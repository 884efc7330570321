"""``specproof capture``: what it writes and says, and that every mistake is one line and status two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specproof.simulations.traces.trace import Trace

T, V = 40, 6


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of saved logits, tokens and log-probabilities, where the command runs."""
    rng = np.random.default_rng(0)
    for name in ("draft", "target"):
        np.save(tmp_path / f"{name}.npy", rng.standard_normal((T, V)).astype(np.float16))
    np.save(tmp_path / "tokens.npy", rng.integers(V, size=T))
    lines = [{"id": f"text {number}", "draft": [-0.5, -2.0], "target": [-0.25, -1.0]} for number in range(3)]
    (tmp_path / "scored.jsonl").write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


FROM_ARRAYS = ("capture", "--logits", "draft.npy", "target.npy", "--tokens", "tokens.npy", "--out", "trace.parquet")
FROM_SERVER = ("capture", "--logprobs", "scored.jsonl", "--out", "trace.parquet")


def test_saved_logits_become_a_trace(command: Any, folder: Path) -> None:
    words = ("--num-drafts", 2, "--draft-temperature", 1.5, "--draft-temperature", 0.7, "--min-p", 0.001, "--seed", 4)
    outcome = command(*FROM_ARRAYS, *words)
    assert outcome.status == 0
    trace = Trace.read(folder / "trace.parquet")
    means = trace.table.groupby("draft_temperature")["overlap"].mean()
    assert outcome.out.splitlines() == [
        "trace.parquet: 40 tokens of 1 texts, 0 of which ended by themselves",
        f"one draft at temperature 0.7 is accepted with mean probability {means[0.7]:.4f}",
        f"one draft at temperature 1.5 is accepted with mean probability {means[1.5]:.4f}",
        "next: specproof plan trace.parquet --cost C",
    ]
    assert outcome.progress == ["text 1 of 1, positions 0 to 31", "text 1 of 1, positions 32 to 39"]
    assert outcome.lines == []
    assert (trace.header.num_drafts, trace.header.seed, trace.header.settings.min_p) == (2, 4, 0.001)
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == []


def test_log_probabilities_become_a_trace(command: Any, folder: Path) -> None:
    outcome = command(*FROM_SERVER)
    assert outcome.status == 0
    assert outcome.out.splitlines()[:2] == [
        "trace.parquet: 6 tokens of 3 texts, 0 of which ended by themselves",
        "one draft at temperature 1 is accepted with mean probability between 0.3709 and 0.7976",
    ]
    assert [text.name for text in Trace.read(folder / "trace.parquet").header.texts] == ["text 0", "text 1", "text 2"]


def test_an_interrupt_is_one_line_that_says_how_to_go_on(
    command: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from specproof.simulations.traces.parts import Parts

    original = Parts.save

    def interrupted(self: Parts, number: int, columns: Any) -> None:
        original(self, number, columns)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Parts, "save", interrupted)
        outcome = command(*FROM_ARRAYS, "--num-drafts", 2)
    assert (outcome.status, outcome.out) == (130, "")
    assert outcome.lines == ["specproof: interrupted; finished parts are kept, and the same command goes on from them"]
    assert not (folder / "trace.parquet").exists()
    other = command(*FROM_ARRAYS, "--num-drafts", 3)
    assert (other.status, other.out) == (2, "")
    assert other.err == (
        "specproof: error: trace.parquet.parts holds parts of an interrupted capture whose num_drafts is 2, but now it "
        "is 3: ask for the same again, or begin anew with --fresh\n"
    )
    assert command(*FROM_ARRAYS, "--num-drafts", 2).status == 0
    kept = (folder / "trace.parquet").read_bytes()
    assert command(*FROM_ARRAYS, "--num-drafts", 2, "--fresh").status == 0
    assert (folder / "trace.parquet").read_bytes() == kept


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["capture", "--out", "t"], "no source of text is given: give one of --pair, --logits, --logprobs"),
        ([*FROM_SERVER, "--pair", "rtn:4"], "--pair and --logprobs are given: give one of"),
        ([*FROM_SERVER, "--num-drafts", 2], "--num-drafts has no meaning beside --logprobs: leave it out"),
        (
            [*FROM_SERVER, "--draft-temperature", 2],
            "--draft-temperature has no meaning beside --logprobs: leave it out",
        ),
        ([*FROM_SERVER, "--fresh"], "--fresh has no meaning beside --logprobs: leave it out"),
        ([*FROM_ARRAYS, "--prompts", "p.jsonl"], "--prompts has no meaning beside --logits: leave it out"),
        ([*FROM_ARRAYS, "--device", "cpu"], "--device has no meaning beside --logits: leave it out"),
        ([*FROM_ARRAYS, "--top-p", 0], "top_p is 0"),
        ([*FROM_ARRAYS, "--temperature", "nan"], "temperature is nan"),
        ([*FROM_ARRAYS[:4], "--out", "t"], "--tokens is missing: beside --logits it is the .npy file"),
        (
            ["capture", "--pair", "rtn:4", "--tokens", "tokens.npy", "--out", "t"],
            "--tokens is 'tokens.npy': beside --pair",
        ),
        (["capture", "--pair", "rtn:9", "--out", "t"], "bits of 'rtn:9' is '9': give a whole number from 2 to 8"),
        ([*FROM_ARRAYS[:-1], "no/such/../folder\0/t"], ""),
        ([*FROM_ARRAYS, "--top-k", 1], "tokens.npy["),
        (["capture", "--logprobs", "missing.jsonl", "--out", "t"], "missing.jsonl cannot be read"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(command: Any, folder: Path, words: list[Any], said: str) -> None:
    before = {path.name for path in folder.rglob("*")}
    outcome = command(*words)
    assert (outcome.status, outcome.out) == (2, "")
    assert len(outcome.lines) == 1
    assert outcome.lines[0].startswith(f"specproof: error: {said}")
    assert {path.name for path in folder.rglob("*")} == before


def test_a_file_that_cannot_be_written_is_told_before_the_work(command: Any, folder: Path) -> None:
    (folder / "file").write_text("")
    outcome = command(*FROM_ARRAYS[:-1], "file/trace.parquet")
    assert (outcome.status, outcome.out, outcome.progress) == (2, "", [])
    assert outcome.lines[0].startswith("specproof: error: cannot write file/trace.parquet")


def test_the_help_teaches_by_examples(command: Any) -> None:
    outcome = command("capture", "--help")
    said = " ".join(outcome.out.replace("│", " ").split())
    assert outcome.status == 0
    for part in (
        "specproof capture --pair rtn:4",
        "specproof capture --logits draft.npy target.npy --tokens tokens.npy",
        "specproof capture --logprobs scored.jsonl",
        "save logits[:-1] with tokens[1:]",
        "TRACE.parts",
        "padded",
    ):
        assert part in said
