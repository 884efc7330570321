"""Environments of their own for engines that cannot be imported beside what is installed here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock
from rich.console import Console

from audit.package import FOLDER
from specproof.simulations.language_models.weights import cache_folder
from specproof.simulations.language_models.wheel import Wheel, fetch_wheel
from specproof.theory.errors import InvalidInput

WHOLE = "whole"
"""The file that is written last."""


def python_with(wheel: Wheel, without: Sequence[str] = ()) -> Path:
    """The interpreter of an environment in which the wheel is installed with its requirements, made on first use.

    Parameters
    ----------
    without : sequence of str
        Requirements that are taken out again, because they do not fit the others and are not needed.

    Raises
    ------
    InvalidInput
        If the wheel cannot be fetched or installed.
    """
    place = _place(wheel)
    python = place / "bin" / "python"
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_name(place.name + ".lock")):
        if not is_made(wheel):
            archive = fetch_wheel(wheel, cache_folder() / FOLDER)
            shutil.rmtree(place, ignore_errors=True)  # one that was cut short
            Console(stderr=True).print(f"installing {wheel.distribution} {wheel.version}, once: some minutes")
            _run([sys.executable, "-m", "venv", str(place)], wheel)
            _run([str(python), "-m", "pip", "install", "--quiet", str(archive)], wheel)
            if without:
                _run([str(python), "-m", "pip", "uninstall", "--quiet", "--yes", *without], wheel)
            (place / WHOLE).touch()
    return python


def is_made(wheel: Wheel) -> bool:
    """Whether it is there, and whole."""
    return (_place(wheel) / WHOLE).exists()


def _place(wheel: Wheel) -> Path:
    return cache_folder() / FOLDER / "environments" / wheel.filename.removesuffix(".whl")


def _run(command: list[str], wheel: Wheel) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InvalidInput(f"{wheel.distribution} {wheel.version} cannot be installed ({last}): is an index in reach?")
