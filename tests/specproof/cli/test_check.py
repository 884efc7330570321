"""``specproof check`` on the examples, and on what is no sampler."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from check_budgets import QUICK
from processes import is_running

from specproof.conformance import Contract


@pytest.fixture(autouse=True)
def quick(forked_checks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's default is a quick check: what the whole one finds is tested with the kit."""
    monkeypatch.setattr("specproof.conformance.arguments.DEFAULT", replace(QUICK, seconds=60.0))


LATER = (
    *("tree", "round", "multi", "generate"),
    "chain_bonus_from_previous_row",
    "chain_rows_share_a_uniform",
    "chain_residual_skipped",
)
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.py"))


def words(example: Path) -> list[object]:
    contract = example.stem.partition("_")[0]
    function = contract if contract in ("generate", "round") else "verify"
    return ["check", f"{example}:{function}", "--contract", contract]


def marks(example: Path) -> list[pytest.MarkDecorator]:
    """Loops over trials take seconds and those of trees and rounds a minute: one that is lossless is for now."""
    return [pytest.mark.slow] if example.stem.startswith(LATER) else []


@pytest.mark.parametrize("example", [pytest.param(it, id=it.stem, marks=marks(it)) for it in EXAMPLES])
def test_examples_are_what_their_names_say(command: Any, example: Path) -> None:
    lossless = example.stem.endswith("lossless")
    outcome = command(*words(example), "--json")
    report = json.loads(outcome.out)
    assert report["verdict"] == ("lossless" if lossless else "biased")
    assert outcome.status == (0 if lossless else 1)
    assert report["level"] == 1e-6
    assert bool(report["instance"]) is not lossless
    assert outcome.err == ""


def test_there_are_broken_examples_of_every_contract() -> None:
    broken = [path.stem for path in EXAMPLES if not path.stem.endswith("lossless")]
    assert {name.partition("_")[0] for name in broken} == set(Contract)


def test_the_report_for_people_names_what_matters(command: Any, tmp_path: Path) -> None:
    example = next(path for path in EXAMPLES if path.stem == "chain_residual_skipped")
    outcome = command(*words(example), "--seed", 3, "--html", tmp_path / "check.html")
    assert "--seed 3 --html" in (tmp_path / "check.html").read_text()
    assert outcome.status == 1
    for said in ("biased", "Smallest failing instance", "Total variation at least", "Diagnosis: replaced-from-target"):
        assert said in outcome.out
    assert "no lossless sampler exceeds" in outcome.out


def test_what_a_function_prints_does_not_mix_with_json(command: Any, tmp_path: Path) -> None:
    path = tmp_path / "loud_subject.py"
    path.write_text("print('imported')\ndef verify(*_):\n    print('called')\n    raise RuntimeError('no\\nluck')\n")
    outcome = command("check", f"{path}:verify", "--json")
    report = json.loads(outcome.out)
    assert (outcome.status, report["verdict"]) == (1, "crashes")
    assert "RuntimeError: no luck" in report["reason"]


@pytest.mark.slow
def test_a_generator_that_is_not_used_is_refused_on_demand(command: Any, tmp_path: Path) -> None:
    path = tmp_path / "unseeded_subject.py"
    path.write_text(
        "import numpy as np\nfrom specproof.conformance.references import token_by_token\n"
        "def verify(p, q, drafts, rng):\n    return token_by_token(p, q, drafts, np.random.default_rng())\n"
    )
    report = json.loads(command("check", f"{path}:verify", "--json", "--require-seed", "--time-limit", 3).out)
    assert (report["verdict"], report["reproducible"]) == ("invalid output", False)


@pytest.mark.parametrize("statement", ["from my_engine.kernels import rule", "from .kernels import rule"])
def test_the_file_of_the_help_s_example_is_checked_from_the_root_of_its_repository(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """Beside it are folders of our own names, from which it imports."""
    own = ("simulations", "theory", "figures")
    files = {f"{name}/__init__.py": "MINE = True\n" for name in own}
    files["my_engine/__init__.py"] = ""
    files["my_engine/kernels.py"] = "from specproof.conformance.references import token_by_token as rule\n"
    imports = "".join(f"from {name} import MINE\n" for name in own)
    files["my_engine/sampler.py"] = f"{imports}{statement}\ndef verify(*given):\n    return rule(*given)[0]\n"
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    outcome = command("check", "my_engine/sampler.py:verify", "--json", "--time-limit", 2)
    report = json.loads(outcome.out)
    assert (outcome.status, report["verdict"]) == (1, "invalid output")  # it returns the first trial alone
    assert report["subject"] == "my_engine/sampler.py:verify"


def test_an_import_that_fails_is_one_line_with_file_and_line(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_engine").mkdir()
    (tmp_path / "my_engine" / "__init__.py").write_text("")
    (tmp_path / "my_engine" / "sampler.py").write_text("import numpy\nfrom no_such_thing import rule\n")
    monkeypatch.chdir(tmp_path)
    outcome = command("check", "my_engine/sampler.py:verify")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == (
        "specproof: error: my_engine/sampler.py cannot be imported (ModuleNotFoundError: No module named "
        "'no_such_thing' by 'from no_such_thing import rule' at my_engine/sampler.py:2): "
        "import it in Python to see why\n"
    )


def test_the_help_names_every_exit_status_and_how_long_a_call_may_take(command: Any) -> None:
    outcome = command("check", "--help")
    said = " ".join(outcome.out.replace("│", " ").split())
    assert outcome.status == 0
    for part in (
        "Ends with 0 if",
        "with 1 if",
        "with 2 if",
        "a day at most",
        "the first, which may compile, is not counted and may take six times the limit up to a minute",
        "or all of a longer limit",
    ):
        assert part in said


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_the_child_too(tmp_path: Path) -> None:
    path, pid = tmp_path / "endless_subject.py", tmp_path / "pid"
    path.write_text(
        f"import os, re\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\nre.match('(a+)+$', 'a' * 60 + 'b')"
    )
    words = [sys.executable, "-c", "from specproof.cli import main; main()", "check", f"{path}:verify"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        child = int(until(lambda: pid.exists() and pid.read_text()))
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.usefixtures("interruptible")
def test_the_child_ends_with_a_command_that_is_ended(tmp_path: Path) -> None:
    path, pid = tmp_path / "sleeping_subject.py", tmp_path / "pid"
    path.write_text(f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(50)")
    words = [sys.executable, "-c", "from specproof.cli import main; main()", "check", f"{path}:verify"]
    with subprocess.Popen(words, start_new_session=True) as process:
        child = until(lambda: pid.exists() and pid.read_text())
        process.terminate()
    until(lambda: not is_running(child))


def test_an_interrupt_of_its_own_on_import_is_a_mistake(command: Any, tmp_path: Path) -> None:
    path = tmp_path / "interrupting_subject.py"
    path.write_text("raise KeyboardInterrupt\n")
    outcome = command("check", f"{path}:verify")
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert "cannot be imported (KeyboardInterrupt)" in outcome.err


@pytest.mark.parametrize("page", ["", ".", "/", "{file}/page.html"])
def test_a_page_that_cannot_be_written_is_told_before_the_check(command: Any, tmp_path: Path, page: str) -> None:
    file = tmp_path / "subject_of_no_page.py"
    file.write_text("raise SystemExit('this was imported')\n")
    outcome = command("check", f"{file}:verify", "--html", page.format(file=file))
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("specproof: error: cannot write ")
    assert outcome.err.count("\n") == 1


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


@pytest.mark.parametrize(
    "words",
    [
        ["no_such_module_anywhere:verify"],
        ["verify"],
        ["{example}:nothing"],
        ["{example}:verify", "--level", "2"],
        ["{example}:verify", "--time-limit", "0"],
        ["{example}:verify", "--level", "1e-200"],
        ["{example}:verify", "--time-limit", "nan"],
        ["{example}:verify", "--time-limit", "1e11"],
        ["{example}:verify", "--contract", "forest"],
        ["{example}:verify", "--seed", "-1"],
    ],
)
def test_mistakes_are_one_line_and_status_two(command: Any, words: list[str]) -> None:
    outcome = command("check", *(word.format(example=EXAMPLES[0]) for word in words))
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("specproof: error: ")
    assert outcome.err.count("\n") == 1
