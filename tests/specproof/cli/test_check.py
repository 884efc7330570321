"""``specproof check`` on the examples, and on what is no sampler."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.py"))


def words(example: Path) -> list[object]:
    contract = example.stem.partition("_")[0]
    function = "generate" if contract == "generate" else "verify"
    return ["check", f"{example}:{function}", "--contract", contract]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_what_their_names_say(command: Any, example: Path) -> None:
    outcome = command(*words(example), "--json")
    report = json.loads(outcome.out)
    lossless = example.stem.endswith("lossless")
    assert report["verdict"] == ("lossless" if lossless else "biased")
    assert outcome.status == (0 if lossless else 1)
    assert report["level"] == 1e-6
    assert bool(report["instance"]) is not lossless
    assert outcome.err == ""


def test_there_are_five_broken_examples_of_every_contract() -> None:
    broken = [path.stem for path in EXAMPLES if not path.stem.endswith("lossless")]
    assert len(broken) == 5
    assert {name.partition("_")[0] for name in broken} == {"chain", "multi", "generate"}


def test_the_report_for_people_names_what_matters(command: Any) -> None:
    example = next(path for path in EXAMPLES if path.stem == "chain_residual_skipped")
    outcome = command(*words(example), "--seed", 3)
    assert outcome.status == 1
    for said in ("biased", "Smallest failing instance", "Total variation at least", "Diagnosis: replaced-from-target"):
        assert said in outcome.out
    assert "no lossless sampler exceeds" in outcome.out


@pytest.mark.parametrize(
    ("example", "contract", "others"),
    [
        ("multi_sibling_keeps_target", "chain", "multi or generate"),
        ("chain_lossless", "multi", "chain or generate"),
        ("multi_sibling_keeps_target", "multi", ""),
    ],
)
def test_a_function_that_fails_at_once_may_be_of_another_contract(
    command: Any, example: str, contract: str, others: str
) -> None:
    (path,) = (path for path in EXAMPLES if path.stem == example)
    outcome = command("check", f"{path}:verify", "--contract", contract)
    assert outcome.status == 1
    assert [line for line in outcome.out.splitlines() if line.startswith("hint")] == (
        [f"hint it failed on its very first call: is its contract {others}? See --contract"] * bool(others)
    )


def test_what_a_function_prints_does_not_mix_with_json(command: Any, tmp_path: Path) -> None:
    path = tmp_path / "loud_subject.py"
    path.write_text("print('imported')\ndef verify(*_):\n    print('called')\n    raise RuntimeError('no\\nluck')\n")
    outcome = command("check", f"{path}:verify", "--json")
    report = json.loads(outcome.out)
    assert (outcome.status, report["verdict"]) == (1, "crashes")
    assert "RuntimeError: no luck" in report["reason"]


@pytest.mark.parametrize(("options", "verdict"), [([], "lossless"), (["--require-seed"], "invalid output")])
def test_a_generator_that_is_not_used_is_refused_on_demand(
    command: Any, tmp_path: Path, options: list[str], verdict: str
) -> None:
    path = tmp_path / "unseeded_subject.py"
    path.write_text(
        "import numpy as np\nfrom specproof.conformance.references import token_by_token\n"
        "def verify(p, q, drafts, rng):\n    return token_by_token(p, q, drafts, np.random.default_rng())\n"
    )
    report = json.loads(command("check", f"{path}:verify", "--json", *options).out)
    assert (report["verdict"], report["reproducible"]) == (verdict, False)


CATASTROPHES = """
import ctypes, os, re, signal, sys, time
import numpy as np

def keeps_the_lock(*_):
    re.match("(a+)+$", "a" * 60 + "b")

def leaves(*_):
    os._exit(0)

def breaks(*_):
    os.kill(os.getpid(), signal.SIGSEGV)

def writes(draft_probs, target_probs, draft_tokens, rng):
    os.write(1, b"raw")
    return draft_tokens[:, 0], np.zeros(len(draft_tokens), dtype=int)
"""


@pytest.mark.parametrize(
    ("function", "verdict", "said"),
    [
        ("keeps_the_lock", "crashes", "did not end within 1.3 s and had to be killed"),
        ("leaves", "crashes", "ended the process with exit status 0"),
        ("breaks", "crashes", "ended the process with signal SIGSEGV"),
        ("writes", "biased", ""),
    ],
)
def test_what_takes_its_process_along_is_reported(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, verdict: str, said: str
) -> None:
    path = tmp_path / "catastrophic_subject.py"
    path.write_text(CATASTROPHES)
    if function == "keeps_the_lock":
        path.write_text("from specproof.conformance.subject import isolation\nisolation.SLACK = 1.0\n" + CATASTROPHES)
    outcome = command("check", f"{path}:{function}", "--contract", "multi", "--time-limit", 0.3, "--json")
    report = json.loads(outcome.out)
    assert (outcome.status, report["verdict"]) == (1, verdict)
    assert said in report["reason"]


def test_what_breaks_outside_the_function_is_not_called_its_crash(command: Any, tmp_path: Path) -> None:
    path = tmp_path / "hoarding_subject.py"
    path.write_text(  # after the first call the check cannot open a file any more
        "import resource\nfrom specproof.conformance.references import token_by_token\n"
        "def verify(*given):\n    emitted = token_by_token(*given)\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))\n    return emitted\n"
    )
    outcome = command("check", f"{path}:verify", "--json")
    report = json.loads(outcome.out)
    assert (outcome.status, report["verdict"]) == (1, "inconclusive")
    assert "broke off outside the function (OSError: [Errno 24] Too many open files" in report["reason"]


def test_the_help_names_every_exit_status_and_how_long_a_call_may_take(command: Any) -> None:
    outcome = command("check", "--help")
    said = " ".join(outcome.out.replace("│", " ").split())
    assert outcome.status == 0
    for part in (
        "Ends with 0 if",
        "with 1 if",
        "with 2 if",
        "a day at most",
        "the first, which may compile, may take all",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("text", "limit", "said"),
    [
        ("import time; time.sleep(1000)", 3.0, "importing it did not end within 3 s"),
        ("import os; os._exit(0)", 60.0, "importing it ended the process with exit status 0"),
    ],
)
def test_an_import_that_never_ends_or_ends_everything_is_reported(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, limit: float, said: str
) -> None:
    monkeypatch.setattr("specproof.conformance.subject.isolation.IMPORT_LIMIT", limit)
    path = tmp_path / "catastrophic_subject.py"
    path.write_text(text)
    outcome = command("check", f"{path}:verify", "--json")
    assert outcome.status == 1
    assert said in json.loads(outcome.out)["reason"]


@pytest.mark.parametrize(
    ("stem", "options", "status"), [("chain_residual_skipped", "", 1), ("chain_lossless", "--json", 0)]
)
def test_a_reader_that_leaves_early_changes_nothing(stem: str, options: str, status: int) -> None:
    example = next(path for path in EXAMPLES if path.stem == stem)
    words = [
        sys.executable,
        "-c",
        "from specproof.cli import main; main()",
        "check",
        f"{example}:verify",
        *options.split(),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == status


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


def test_what_a_function_imports_when_it_is_called_is_found_beside_it(command: Any, tmp_path: Path) -> None:
    (tmp_path / "sibling_of_a_lazy_subject.py").write_text(
        "from specproof.conformance.references import token_by_token as verify\n"
    )
    path = tmp_path / "lazy_subject.py"
    path.write_text(
        "def verify(*given):\n    from sibling_of_a_lazy_subject import verify\n\n    return verify(*given)\n"
    )
    report = json.loads(command("check", f"{path}:verify", "--time-limit", 2, "--json").out)
    assert report["verdict"] in ("lossless", "inconclusive")


def test_an_interrupt_of_its_own_on_import_is_a_mistake(command: Any, tmp_path: Path) -> None:
    path = tmp_path / "interrupting_subject.py"
    path.write_text("raise KeyboardInterrupt\n")
    outcome = command("check", f"{path}:verify")
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert "cannot be imported (KeyboardInterrupt)" in outcome.err


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
        ["{example}:verify", "--contract", "tree"],
        ["{example}:verify", "--seed", "-1"],
    ],
)
def test_mistakes_are_one_line_and_status_two(command: Any, words: list[str]) -> None:
    outcome = command("check", *(word.format(example=EXAMPLES[0]) for word in words))
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("specproof: error: ")
    assert outcome.err.count("\n") == 1
