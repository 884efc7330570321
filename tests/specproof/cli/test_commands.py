"""The command line: what each command prints, and that every mistake is one line on stderr and status 2."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import specproof
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers import VERIFIERS

DRAFT, TARGET = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
REQUIRED = {
    "yin2024.theorem1",
    "spectr2023.maximal-coupling",
    "spectr2023.otm-lp",
    "spectr2023.kseq-valid",
    "spectr2023.kseq-guarantee",
}


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str, Any], Path]:
    """A function that saves an array, or raw bytes, under a name and gives the path."""

    def save(name: str, content: Any) -> Path:
        path = tmp_path / f"{name}.npy"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.save(path, content)
        return path

    return save


def complaint(outcome: Any) -> str:
    """The one line of an error."""
    assert (outcome.status, outcome.out) == (2, ""), outcome
    assert outcome.err.startswith("specproof: error: ")
    assert outcome.err.count("\n") == 1
    return str(outcome.err)


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
    assert [pair["name"].partition(":")[0] for pair in pairs] == ["rtn", "skip", "temperature", "hf"]
    assert all(pair["licence"] and pair["source"] and pair["form"] for pair in pairs)
    assert all(pair["name"].partition(":")[0] in command("models").out for pair in pairs)


def test_bound_of_one_pair(command: Any, saved: Any) -> None:
    words = ["bound", "--draft", saved("p", DRAFT), "--target", saved("q", TARGET), "--num-drafts", 2]
    found = json.loads(command(*words, "--json").out)
    acceptance = found["acceptance"]
    assert found["num_drafts"] == 2
    assert acceptance["single"] == pytest.approx(0.7, abs=1e-15)  # 1 - TV
    # The optimal set is the first two tokens: 1 + 0.5 - 0.8^2; nothing smaller over the other subsets.
    assert acceptance["optimal"] == pytest.approx(0.86, abs=1e-15)
    assert acceptance["single"] < acceptance["kseq"] < acceptance["optimal"]
    assert acceptance["priority"] == pytest.approx(acceptance["optimal"], abs=1e-15)
    table = command(*words).out
    assert "0.860000" in table
    assert "100.00%" in table


def test_bound_of_rows_and_of_logits_is_the_bound_of_each_row(command: Any, saved: Any) -> None:
    rng = np.random.default_rng(3)
    drafts, targets = rng.dirichlet(np.ones(6), 4), rng.dirichlet(np.ones(6), 4)
    probabilities = ["--draft", saved("p", drafts), "--target", saved("q", targets)]
    logits = ["--draft", saved("lp", 0.5 * np.log(drafts)), "--target", saved("lq", 0.5 * np.log(targets)), "--logits"]
    expected = [float(optimal_acceptance(p, q, 3)) for p, q in zip(drafts, targets, strict=True)]
    for words in (probabilities, [*logits, "--temperature", 0.5]):
        found = json.loads(command("bound", *words, "--num-drafts", 3, "--json").out)["acceptance"]
        assert set(found) == {*VERIFIERS, "optimal"}
        np.testing.assert_allclose(found["optimal"], expected, rtol=0, atol=1e-14)
    table = command("bound", *probabilities).out
    assert all(words in table for words in ("4 rows", "mean acceptance", "mean share of optimum"))


def test_the_table_of_rows_has_the_mean_of_their_shares_and_not_the_share_of_the_means(
    command: Any, saved: Any
) -> None:
    """0.2 of 1 + 0.1 - 0.9^2 = 0.29 in one row and 1 of 1 in the other: (0.2/0.29 + 1)/2, not 1.2/1.29."""
    drafts, targets = np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([[0.1, 0.9], [0.5, 0.5]])
    table = command("bound", "--draft", saved("p", drafts), "--target", saved("q", targets), "--num-drafts", 2).out
    assert [line.split()[1::2] for line in table.splitlines() if "single" in line] == [["single", "0.600000", "84.48%"]]


def header(shape: str, descr: str = "'<f8'") -> bytes:
    """A .npy file that promises an array and does not have it."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text


def saved_bytes(save: Callable[..., None], *content: Any) -> bytes:
    buffer = io.BytesIO()
    save(buffer, *content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"0.5 0.3 0.2", "is not a .npy array", id="text"),
        pytest.param(b"", "is not a .npy array", id="empty"),
        pytest.param(b"PK\x03\x04 no archive", "is not a .npy array", id="broken-zip"),
        pytest.param(saved_bytes(np.save, DRAFT)[:-1], "is not a .npy array", id="truncated"),
        pytest.param(saved_bytes(np.save, np.array([{}, 1], dtype=object)), "is not a .npy array", id="pickle"),
        pytest.param(saved_bytes(np.savez, DRAFT), "archive of several arrays", id="archive"),
        pytest.param(header("(10000000000000,)"), "does not fit into memory", id="too-large"),
        pytest.param(
            header("(3,)", str([(f"f{index}", "<f8") for index in range(2000)])),
            "is not a .npy array",
            id="long-header",
        ),
        pytest.param(np.array([0.5, np.nan, 0.5]), "[1] = nan is not finite", id="nan"),
        pytest.param(np.array([0.5, np.inf, 0.5]), "[1] = inf is not finite", id="inf"),
        pytest.param(np.array([-0.5, 1.0, 0.5]), "[0] = -0.5 is negative", id="negative"),
        pytest.param(np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.1]]), "row 1 of", id="not-1"),
        pytest.param(np.array([0.5, 0.5]), "tokens", id="length"),
        pytest.param(np.array(1.0), "shape ()", id="scalar"),
        pytest.param(np.empty(0), "shape (0,)", id="no-token"),
        pytest.param(np.empty((0, 3)), "shape (0, 3)", id="no-row"),
        pytest.param(DRAFT.astype(complex), "complex128", id="complex"),
        pytest.param(np.array([True, False, False]), "bool", id="bool"),
        pytest.param(np.array(["a", "b", "c"]), "<U1", id="words"),
    ],
)
@pytest.mark.parametrize("side", ["draft", "target"])
def test_bad_laws(command: Any, saved: Any, side: str, content: Any, message: str) -> None:
    good, bad = saved("good", DRAFT), saved("bad", content)
    paths = {"--draft": good, "--target": good, f"--{side}": bad}
    line = complaint(command("bound", *(word for item in paths.items() for word in item)))
    assert message in line
    assert side in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing option"),
        (["--draft", "missing.npy", "--target", "q.npy"], "missing.npy cannot be read"),
        (["--draft", ".", "--target", "q.npy"], "cannot be read"),
        (["--num-drafts", "0"], "num_drafts is 0"),
        (["--num-drafts", "-1"], "num_drafts is -1"),
        (["--num-drafts", "1.5"], "--num-drafts"),
        (["--num-drafts", "1" + "0" * 30], "num_drafts is 1"),
        (["--temperature", "2"], "pass --logits"),
        (["--logits", "--temperature", "0"], "temperature is 0"),
        (["--logits", "--temperature", "nan"], "temperature is nan"),
        (["--logits", "--temperature", "-1"], "temperature is -1"),
    ],
    ids=str,
)
def test_bad_options_of_bound(
    command: Any, saved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    saved("q", TARGET)
    laws = ["--draft", "q.npy", "--target", "q.npy"] if words and "--draft" not in words else []
    assert message in complaint(command("bound", *laws, *words))


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
    assert message in complaint(command(*words))


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
