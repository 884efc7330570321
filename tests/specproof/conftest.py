"""Ways to run the command: in this process, where that shows enough, or in one of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import fake_claims
import pandas as pd
import pytest
from typer.main import get_command

SUPPORT = Path(__file__).parents[1] / "support"
FAKE = "import fake_claims; fake_claims.main()"


class Outcome(NamedTuple):
    """What a run of the command left."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Lines on stderr but those that tell progress."""
        return [line for line in self.err.splitlines() if not line.startswith("[")]

    @property
    def complaint(self) -> str:
        """The one line of a mistake, which ends with status 2 and nothing on stdout."""
        assert (self.status, self.out) == (2, ""), self
        assert self.err.startswith("specproof: error: ")
        assert self.err.count("\n") == 1
        return self.err

    @property
    def progress(self) -> list[str]:
        """One entry for each finished cell."""
        return [line.partition("] ")[2] for line in self.err.splitlines() if line.startswith("[")]


Command = Callable[..., Outcome]


@cache
def commands(app: Any) -> Any:
    """What typer makes of an app, which takes longer than most of what the commands do in tests."""
    return get_command(app)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``specproof`` in this process, its commands put together once."""
    from specproof.cli import main

    monkeypatch.setattr("typer.main.get_command", commands)

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["specproof", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def fake_command(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same with the claims of ``fake_claims`` and no figures."""
    # The importing module first: imported under the other's patch it would keep these claims.
    for module in ("specproof.wanted", "specproof.simulations.claims.registry"):
        monkeypatch.setattr(f"{module}.CLAIMS", fake_claims.CLAIMS)
    monkeypatch.setattr("specproof.wanted.FIGURES", ())
    return command


class Launched:
    """The command with the claims of ``fake_claims``, which hang, in a process group of its own."""

    def __init__(self, written: Path, *words: object) -> None:
        self._written = written
        with written.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-c", FAKE, *map(str, words)],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, "PYTHONPATH": str(SUPPORT), "PYTHONFAULTHANDLER": "yes", "FAKE_HANG": "yes"},
                start_new_session=True,
            )

    def wait_for_cells(self, count: int) -> None:
        """Return when that many cells are finished."""
        while self._written.read_text().count("\n") < count:
            assert self.process.poll() is None, f"ended early: {self._written.read_text()}"
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, as the keyboard does."""
        os.killpg(self.process.pid, number)

    def finish(self) -> Outcome:
        """Wait for the end; what hangs tells where all its threads are."""
        try:
            out, _ = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGABRT)
            self.process.communicate()
            pytest.fail(f"runs on after 60 s:\n{self._written.read_text()}")
        return Outcome(self.process.returncode, out, self._written.read_text())


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Launched]]:
    """Start the fake command in a process of its own; what is left of it in the end is killed."""
    launched: list[Launched] = []

    def start(*words: object) -> Launched:
        launched.append(Launched(tmp_path / f"stderr-{len(launched)}", *words))
        return launched[-1]

    yield start
    for one in launched:
        if one.process.poll() is None:
            one.signal(signal.SIGKILL)
            one.process.communicate()


@pytest.fixture
def evidence() -> Callable[[Path], pd.DataFrame]:
    """Read a run's evidence, but for the times it took."""

    def read(out: Path) -> pd.DataFrame:
        return pd.read_parquet(out / "evidence.parquet").drop(columns="seconds")

    return read
