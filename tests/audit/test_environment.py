"""Environments of their own: made once, whole or not at all, and what keeps one from being made is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from audit import environment
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.errors import InvalidInput

WHEEL = Wheel("engine", "1.0", "engine-1.0-py3-none-any.whl", 1, "0" * 64, "")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPECPROOF_CACHE", str(tmp_path))
    monkeypatch.setattr(environment, "fetch_wheel", lambda wheel, folder: folder / wheel.filename)
    return tmp_path


def test_it_is_made_once_and_anew_if_it_was_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(command: list[str], _: Wheel) -> None:
        Path(command[-1]).mkdir(parents=True, exist_ok=True) if command[1:3] == ["-m", "venv"] else None
        made.append(command[-1])
        if interrupted:
            raise KeyboardInterrupt

    monkeypatch.setattr(environment, "_run", make)
    interrupted = True
    with pytest.raises(KeyboardInterrupt):
        environment.python_with(WHEEL, ("pictures",))
    assert not environment.is_made(WHEEL)
    interrupted = False
    made.clear()
    for _ in range(2):
        python = environment.python_with(WHEEL, ("pictures",))
    assert environment.is_made(WHEEL)
    assert [Path(last).name for last in made] == ["engine-1.0-py3-none-any", WHEEL.filename, "pictures"]
    assert python.parts[-3:] == ("engine-1.0-py3-none-any", "bin", "python")


def test_a_failing_command_is_one_line() -> None:
    with pytest.raises(
        InvalidInput, match=r"^engine 1\.0 cannot be installed \(no such thing\): is an index in reach\?$"
    ):
        environment._run([sys.executable, "-c", "raise SystemExit('no such thing')"], WHEEL)
