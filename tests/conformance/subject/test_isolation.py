"""A check in a process of its own: whatever the function does to its process, there is a report."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from processes import is_running

from specproof.conformance import Budget, Contract, Detector, Verdict, check_sampler
from specproof.conformance.references import select, token_by_token
from specproof.conformance.subject import isolation
from specproof.theory.errors import InvalidInput

SMALL = Budget(first=400, rounds=1, small=3, degenerate=16, seconds=2.0, candidates=4)

FORKED = pytest.mark.usefixtures("forked_checks")
"""Starts a test's processes the quick way; two of them show that the other way works."""

CATASTROPHES = """
import os, re, signal
import numpy as np

def keeps_the_lock(*_):
    re.match("(a+)+$", "a" * 60 + "b")

def leaves(*_):
    os._exit(0)

def closes(*_):
    os.closerange(3, 100)

def breaks(*_):
    os.kill(os.getpid(), signal.SIGSEGV)

def allocates(*_):
    kept = []
    while True:
        kept.append(np.empty(2**22))  # never written to, so that no memory is taken for it

def writes(draft_probs, target_probs, draft_tokens, rng):
    os.write(1, b"raw")
    return draft_tokens[:, 0], np.zeros(len(draft_tokens), dtype=int)
"""


@FORKED
@pytest.mark.parametrize(
    ("function", "verdict", "said"),
    [
        pytest.param(
            "keeps_the_lock",
            Verdict.CRASHES,
            "checking it did not end within 15 s and had to be killed",
            marks=pytest.mark.slow,
        ),
        ("leaves", Verdict.CRASHES, "checking it ended the process with exit status 0"),
        ("closes", Verdict.CRASHES, "checking it closed the pipe through which the check reports"),
        ("breaks", Verdict.CRASHES, "checking it ended the process with signal SIGSEGV"),
        pytest.param("writes", Verdict.BIASED, "", marks=pytest.mark.slow),
        ("allocates", Verdict.CRASHES, "where its process may allocate"),
    ],
)
def test_what_takes_its_process_along_is_reported(tmp_path: Path, function: str, verdict: Verdict, said: str) -> None:
    path = tmp_path / "catastrophic_subject.py"
    hurry = "from specproof.conformance.subject import isolation\nisolation.SLACK = 1.0\n"
    path.write_text(hurry * (function == "keeps_the_lock") + CATASTROPHES)
    name = f"{path}:{function}"
    report = check_sampler(name, Contract.MULTI, budget=SMALL, isolate=True)
    assert (report.verdict, report.subject, report.contract) == (verdict, name, Contract.MULTI)
    assert said in report.reason
    if verdict is Verdict.CRASHES and function != "allocates":  # that one has an exception to raise
        assert report.findings[0].detector is Detector.PROCESS


def test_a_function_of_a_module_is_taken_along(capfd: pytest.CaptureFixture[str]) -> None:
    report = check_sampler(token_by_token, budget=SMALL, isolate=True)
    assert report.verdict in (Verdict.LOSSLESS, Verdict.INCONCLUSIVE)
    assert report.subject == "specproof.conformance.references:token_by_token"
    assert report.trials > 100
    assert capfd.readouterr() == ("", "")


@FORKED
def test_a_function_with_arguments_of_its_own_is_taken_along() -> None:
    report = check_sampler(partial(select, "single"), "multi", budget=SMALL, isolate=True)
    assert report.verdict in (Verdict.LOSSLESS, Verdict.INCONCLUSIVE)


def test_what_has_no_name_is_named_by_its_kind_and_not_by_its_address() -> None:
    class Verifier:
        def __call__(self, *_: Any) -> Any: ...

    assert isolation.name_of(Verifier()) == f"an instance of {Verifier.__module__}:{Verifier.__qualname__}"
    assert isolation.name_of(partial(select, "single")) == "a partial specproof.conformance.references:select"


def test_what_raises_when_it_is_asked_for_its_name_is_named_by_its_kind() -> None:
    class Nameless:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

        def __call__(self, *_: Any) -> Any: ...

    assert isolation.name_of(Nameless()) == f"an instance of {Nameless.__module__}:{Nameless.__qualname__}"


def local(*_: Any) -> Any:
    return np.zeros(1)


@FORKED
@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda *_: None, r"<lambda>, which cannot be taken to another process \(.*\): give 'MODULE:FUNCTION'"),
        ("no_such_module_anywhere:verify", "no_such_module_anywhere cannot be imported"),
        ("verify", "'verify' does not name a function"),
        (3, "function is 3: give a function"),
    ],
)
def test_what_cannot_be_taken_along_is_one_line(function: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as raised:
        check_sampler(function, budget=SMALL, isolate=True)
    assert "\n" not in str(raised.value)


@FORKED
def test_a_function_whose_module_is_not_found_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("made_up_while_running")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    module.local = local  # type: ignore[attr-defined]
    monkeypatch.setattr(local, "__module__", module.__name__)
    with pytest.raises(
        InvalidInput, match=r"made_up_while_running:local cannot be found in a process of its own \(Mod"
    ):
        check_sampler(local, budget=SMALL, isolate=True)


@pytest.mark.slow
def test_a_script_that_checks_wherever_it_is_imported_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "unguarded_script.py"
    script.write_text(
        "from specproof.conformance import check_sampler\n"
        "check_sampler('specproof.conformance.references:token_by_token', isolate=True)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("does so below 'if __name__ == \"__main__\":'")


@FORKED
@pytest.mark.parametrize(
    ("text", "limit", "said"),
    [
        pytest.param(
            *("import time; time.sleep(1000)", 3.0, "importing it did not end within 3 s"), marks=pytest.mark.slow
        ),
        ("import os; os._exit(0)", 60.0, "importing it ended the process with exit status 0"),
    ],
)
def test_an_import_that_never_ends_or_ends_everything_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, limit: float, said: str
) -> None:
    monkeypatch.setattr(isolation, "IMPORT_LIMIT", limit)
    path = tmp_path / "catastrophic_subject.py"
    path.write_text(text)
    report = check_sampler(f"{path}:verify", budget=SMALL, isolate=True)
    assert report.verdict is Verdict.CRASHES
    assert said in report.reason


@FORKED
def test_what_breaks_outside_the_function_is_not_called_its_crash(tmp_path: Path) -> None:
    path = tmp_path / "hoarding_subject.py"
    path.write_text(  # after the first call the check cannot open a file any more
        "import resource\nfrom specproof.conformance.references import token_by_token\n"
        "def verify(*given):\n    emitted = token_by_token(*given)\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))\n    return emitted\n"
    )
    report = check_sampler(f"{path}:verify", budget=SMALL, isolate=True)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "broke off outside the function (OSError: [Errno 24] Too many open files" in report.reason


@FORKED
def test_what_a_function_imports_when_it_is_called_is_found_beside_it(tmp_path: Path) -> None:
    (tmp_path / "sibling_of_a_lazy_subject.py").write_text(
        "from specproof.conformance.references import token_by_token as verify\n"
    )
    path = tmp_path / "lazy_subject.py"
    path.write_text(
        "def verify(*given):\n    from sibling_of_a_lazy_subject import verify\n\n    return verify(*given)\n"
    )
    report = check_sampler(f"{path}:verify", budget=SMALL, isolate=True)
    assert report.verdict in (Verdict.LOSSLESS, Verdict.INCONCLUSIVE)


@FORKED
def test_processes_that_are_left_behind_are_killed(tmp_path: Path) -> None:
    path, numbers = tmp_path / "spawning_subject.py", tmp_path / "numbers"
    path.write_text(
        "import subprocess\nfrom specproof.conformance.references import token_by_token\nstarted = []\n"
        "def verify(*given):\n    if not started:\n        started.append(subprocess.Popen(['sleep', '60']))\n"
        f"        open({str(numbers)!r}, 'w').write(str(started[0].pid))\n    return token_by_token(*given)\n"
    )
    report = check_sampler(f"{path}:verify", budget=SMALL, isolate=True)
    assert "it leaves processes behind: 1 still runs or was never waited for" in report.notes
    left, deadline = numbers.read_text(), time.monotonic() + 10.0
    while is_running(left) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(left)


@FORKED
def test_an_interrupt_of_its_own_on_import_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "interrupting_subject.py"
    path.write_text("raise KeyboardInterrupt\n")
    with pytest.raises(InvalidInput, match=r"cannot be imported \(KeyboardInterrupt"):
        check_sampler(f"{path}:verify", budget=SMALL, isolate=True)
