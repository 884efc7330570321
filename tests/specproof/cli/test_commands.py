"""The command line: what each command prints, and that every mistake is one line on stderr and status 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import specproof

DRAFT, TARGET = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
REQUIRED = {
    "yin2024.theorem1",
    "spectr2023.maximal-coupling",
    "spectr2023.otm-lp",
    "spectr2023.kseq-valid",
    "spectr2023.kseq-guarantee",
}


def test_list_is_a_flat_list(command: Any) -> None:
    outcome = command("list", "--json")
    entries = json.loads(outcome.out)
    assert outcome.status == 0
    assert all(set(entry) == {"id", "kind", "source", "statement"} for entry in entries)
    assert all(isinstance(value, str) and value and "\n" not in value for entry in entries for value in entry.values())
    assert {entry["kind"] for entry in entries} == {"claim", "figure"}
    assert {entry["id"] for entry in entries if entry["kind"] == "claim"} >= REQUIRED
    assert len({entry["id"] for entry in entries}) == len(entries)


def test_the_list_shows_every_id_on_its_own_line_and_every_statement_whole(command: Any) -> None:
    shown = command("list").out
    entries = json.loads(command("list", "--json").out)
    assert [line for line in shown.splitlines() if not line.startswith(" ")] == [entry["id"] for entry in entries]
    assert all(entry["statement"] in " ".join(shown.split()) for entry in entries)


def test_models_tells_how_to_get_each_pair(command: Any) -> None:
    outcome = command("models", "--json")
    pairs = json.loads(outcome.out)
    assert outcome.status == 0
    assert [pair["name"].partition(":")[0] for pair in pairs] == ["rtn", "int8", "skip", "temperature", "ngram", "hf"]
    assert all(pair["licence"] and pair["source"] and pair["form"] for pair in pairs)
    assert all(pair["name"].partition(":")[0] in command("models").out for pair in pairs)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["reprodce"], "Did you mean 'reproduce'"),
        (["--bogus"], "--bogus"),
        (["list", "more"], "more"),
        (["reproduce", "spectr2023.kseq-vald"], "did you mean spectr2023.kseq-valid?"),
        (["reproduce", "yin2024", "nothing-like-it-at-all"], "'specproof list' shows them all"),
        (["reproduce", ""], "no claim or figure ''"),
        (["reproduce", "--pair", "gpt-5"], "no model pair 'gpt-5'"),
        (["reproduce", "--pair", "rtn:9"], "from 2 to 8"),
        (["reproduce", "--pair", "hf:only-one"], "exactly two models"),
        (["reproduce", "--scorer", "my-judge"], "no scorer 'my-judge': choose one of likelihood"),
        (["reproduce", "--jobs", "0"], "--jobs"),
        (["reproduce", "--seed", "-1"], "--seed"),
        (["reproduce", "--seed", "one"], "--seed"),
        (["reproduce", "--draft-length", "0"], "--draft-length"),
        (["reproduce", "--device", "tpu"], "'auto', 'cpu', 'cuda'"),
        (["reproduce", "spectr2023.otm-lp", "--prompts", "missing.jsonl"], "missing.jsonl cannot be read"),
        (["reproduce", "spectr2023.otm-lp", "--prompts", "empty.jsonl"], "empty.jsonl holds no prompt"),
        (["reproduce", "spectr2023.otm-lp", "--prompts", "bad.jsonl"], "bad.jsonl, line 2 has no field 'text'"),
    ],
    ids=str,
)
def test_other_mistakes(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").write_text("\n\n")
    (tmp_path / "bad.jsonl").write_text('{"text": "good"}\n{"txt": "bad"}\n')
    assert message in command(*words).complaint


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("", "specproof reproduce --quick"),
        ("reproduce", "specproof reproduce spectr2023.kseq-valid --seed 7"),
        ("list", "specproof list --json"),
        ("bound", "specproof bound --draft p.npy --target q.npy --num-drafts 4"),
        ("models", "specproof reproduce real --pair skip:12,16,20"),
    ],
)
def test_help_teaches(command: Any, name: str, example: str) -> None:
    outcome = command(*name.split(), "--help")
    assert (outcome.status, outcome.err) == (0, "")
    assert example in outcome.out


def test_help_of_reproduce_shows_every_default(command: Any) -> None:
    text = " ".join(command("reproduce", "--help").out.split())
    for default in ("rtn:4", "results", "--quick", "0", "4", "auto", "likelihood"):
        assert f"[default: {default}]" in text or f"[default: ({default})]" in text


def test_no_command_shows_the_help(command: Any) -> None:
    assert command().out == command("--help").out


def test_as_a_module_and_through_a_closed_pipe() -> None:
    """The same command as ``python -m``; a reader that goes away is no error worth words."""
    process = subprocess.Popen(
        [sys.executable, "-m", "specproof", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


def test_quick_commands_load_nothing_slow() -> None:
    """Torch, pandas, matplotlib and scipy.stats take seconds together, and neither a list nor a bound needs them."""
    code = (
        "import sys; sys.argv = ['specproof', 'list', '--json']\n"
        "from specproof.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "slow = {'torch', 'transformers', 'pandas', 'matplotlib', 'cvxpy', 'scipy.stats', 'distributed'}\n"
        "sys.exit(' '.join(sorted(slow & sys.modules.keys())) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stderr) == (0, "")


def test_everything_exported_is_there() -> None:
    assert all(hasattr(specproof, name) for name in specproof.__all__)
