"""How the command starts, and how it ends where it cannot do its work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import specproof

INTERRUPTED_IMPORT = """
import os, signal, sys
import specproof.cli

class Interrupt:
    left = int(sys.argv.pop(1))

    def find_spec(self, name, path=None, target=None):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
specproof.cli.main()
"""


def run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("count", [1, 10, 60, 400])
def test_an_interrupt_while_modules_are_loaded_is_one_line(count: int) -> None:
    """The 60th module is one of typer's, the 400th one of SciPy's."""
    ended = run(INTERRUPTED_IMPORT, str(count), "list", "--json")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "specproof: interrupted\n")


def test_the_package_and_the_command_load_nothing_before_they_are_asked() -> None:
    code = "import sys; before = set(sys.modules); import specproof.cli; print(*sorted(set(sys.modules) - before))"
    loaded = set(run(code).stdout.split())
    assert {name for name in loaded if name.startswith("specproof")} == {"specproof", "specproof.lazy", "specproof.cli"}
    assert not loaded & {"numpy", "typer", "rich", "typing", "collections"}


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["reproduce", "--help"], ["check", "--help"]])
def test_version_and_help_load_no_numbers(words: list[str]) -> None:
    code = (
        "import atexit, sys; from specproof.cli import main\n"
        "atexit.register(lambda: print({'numpy', 'scipy', 'pandas'} & sys.modules.keys()))\n"
        "main()"
    )
    assert run(code, *words).stdout.endswith("set()\n")


def test_the_version(command: Any) -> None:
    outcome = command("--version")
    assert (outcome.status, outcome.out, outcome.err) == (0, f"specproof {specproof.__version__}\n", "")


@pytest.mark.parametrize("error", [MemoryError(), np._core._exceptions._ArrayMemoryError((10**15,), np.dtype(float))])  # type: ignore[attr-defined]
def test_running_out_of_memory_is_one_line(
    command: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: MemoryError
) -> None:
    def exhaust(*_: Any) -> None:
        raise error

    np.save(tmp_path / "p.npy", np.array([0.5, 0.5]))
    monkeypatch.setattr("specproof.bound.acceptances", exhaust)
    outcome = command("bound", "--draft", tmp_path / "p.npy", "--target", tmp_path / "p.npy")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("specproof: error: out of memory")
    assert outcome.err.count("\n") == 1


def test_a_missing_dependency_is_one_line(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "specproof.simulations.traces.trace", raising=False)
    outcome = command("plan", "trace.parquet", "--cost", 0.1)
    message = "the module pyarrow is missing: pip install specproof, without --no-deps, brings it"
    assert (outcome.status, outcome.out, outcome.err) == (2, "", f"specproof: error: {message}\n")


def test_a_missing_module_of_our_own_is_no_mistake_of_the_user(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "specproof.simulations.traces.planning", None)
    with pytest.raises(ModuleNotFoundError):
        command("plan", "trace.parquet", "--cost", 0.1)


def test_a_module_that_other_code_asks_for_is_not_ours_to_bring(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs() -> int:
        import a_module_that_is_not_here  # type: ignore[import-not-found]  # noqa: F401

        return 0

    monkeypatch.setattr("specproof.cli.app.run", theirs)
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_here"):
        command("list")


def test_the_shell_completes_commands_and_options() -> None:
    shells = {"_SPECPROOF_COMPLETE": "complete_bash", "COMP_WORDS": "specproof repr", "COMP_CWORD": "1"}
    as_completion = f"import os, sys; os.environ.update({shells!r}); sys.argv = ['specproof']"
    assert run(f"{as_completion}; from specproof.cli import main; main()").stdout.split() == ["reproduce"]
    # Otherwise typer looks which shell it was started from: that of make, say, for which it has no completion.
    told = "import os; os.environ['_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION'] = '1'"
    assert "complete" in run(f"{told}; from specproof.cli import main; main()", "--show-completion", "bash").stdout


@pytest.mark.parametrize("name", ["nothing", "_nothing", "__path_of_nothing__"])
def test_a_name_that_the_package_does_not_have(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'specproof' has no attribute '{name}'"):
        getattr(specproof, name)


def test_public_names_are_listed_before_they_are_loaded() -> None:
    found = run("import specproof; print('optimal_acceptance' in dir(specproof), specproof.uniform(2))")
    assert found.stdout == "True [0.5 0.5]\n"
