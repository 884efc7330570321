"""Run on a CUDA device what is run on none before: its tests, the claims on real models, and the table of speeds.

One report in Markdown says on which device, with which versions, and what came out. The three steps are processes of
their own and inherit the environment: ``SPECPROOF_CACHE``, ``HF_HOME``, ``HF_HUB_OFFLINE`` and the like are theirs too.
Run it as ``python -m benchmarks.gpu [--out FOLDER] [--pair NAME] [--prompts NUMBER] [--horizon TOKENS]``. It ends with
0 if every step did, with 1 if one did not, and with 2 where it cannot begin.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import torch

from specproof.simulations.claims.registry import CLAIMS
from specproof.simulations.experiments.whole_files import write_text
from specproof.simulations.language_models.pairs import fetch_pair
from specproof.theory.errors import InvalidInput

RESULTS = Path("results/gpu")
PAIR, PROMPTS, HORIZON = "int8:bfloat16", 8, 64
"""What the table of speeds decodes: a target in bfloat16, and its form with int8 weights as the draft."""

ALLOWED = {"tests": 180, "claims": 270, "speed": 130}
"""Seconds after which a step is cut off: under ten minutes in all."""

PACKAGES = ("specproof", "torch", "transformers", "numpy", "numba")
KEPT_LINES = 120
"""So many of the last lines of a step are in the report; the whole is beside it."""


class Machine(NamedTuple):
    """What the numbers are of."""

    device: str
    """The name of the device."""
    driver: str
    """The version of its driver."""
    memory: int
    """Its memory in bytes."""
    versions: dict[str, str]
    """Python, CUDA and the packages that matter."""


class Step(NamedTuple):
    """A step that was run."""

    name: str
    command: str
    """As it would be typed."""
    code: int | None
    """How it ended; None if it was cut off."""
    seconds: float
    output: str
    """What it printed, on both streams."""

    @property
    def verdict(self) -> str:
        """How it ended, in words."""
        if self.code is None:
            return "cut off"
        return "passed" if self.code == 0 else f"failed with {self.code}"


def this_machine() -> Machine:
    """Describe the device that torch uses.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if not torch.cuda.is_available():
        raise InvalidInput("torch finds no CUDA device here: run this where there is one")
    properties = torch.cuda.get_device_properties(0)
    versions = {"Python": platform.python_version(), "CUDA": str(torch.version.cuda)}
    versions |= {name: installed(name) for name in PACKAGES}
    return Machine(properties.name, driver(), properties.total_memory, versions)


def installed(package: str) -> str:
    """Give the version of a package, which may be on the path without being installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def driver() -> str:
    """Ask ``nvidia-smi`` for the version of the driver."""
    asked = ("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    try:
        found = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found[0] if found else "unknown"


def steps(out: Path, pair: str, prompts: int, horizon: int) -> dict[str, list[str]]:
    """Give the arguments of each step's Python."""
    claims = [claim.id for claim in CLAIMS if claim.needs_models]
    sizes = ["--prompts", str(prompts), "--horizon", str(horizon)]
    return {
        "tests": ["-m", "pytest", "-q", "-n", "0", "-m", "cuda", "--durations=5"],
        "claims": [
            "-m",
            "specproof",
            "reproduce",
            *claims,
            "--quick",
            "--device",
            "cuda",
            "--out",
            str(out / "claims"),
        ],
        "speed": ["-m", "benchmarks.speed", "--pair", pair, *sizes],
    }


def run(name: str, arguments: Sequence[str], allowed: float, out: Path) -> Step:
    """Run a step to its end or until its time is over, and keep what it prints in a file of its name."""
    log = out / f"{name}.log"
    start = time.perf_counter()
    with log.open("w", encoding="utf-8") as file:
        try:
            ended = subprocess.run(
                [sys.executable, "-u", *arguments], stdout=file, stderr=subprocess.STDOUT, timeout=allowed, check=False
            )
            code: int | None = ended.returncode
        except subprocess.TimeoutExpired:
            code = None
    seconds = time.perf_counter() - start
    return Step(
        name, " ".join(["python", *arguments]), code, seconds, log.read_text(encoding="utf-8", errors="replace")
    )


def report(machine: Machine, ran: Sequence[Step]) -> str:
    """Write the report in Markdown."""
    lines = [
        f"# On {machine.device}",
        "",
        f"Driver {machine.driver}, {machine.memory / 2**30:.0f} GiB of memory; "
        + ", ".join(f"{name} {number}" for name, number in machine.versions.items())
        + ".",
        "",
        "| step | ended | seconds |",
        "| --- | --- | --- |",
        *(f"| {step.name} | {step.verdict} | {step.seconds:.0f} |" for step in ran),
    ]
    for step in ran:
        kept = step.output.splitlines()[-KEPT_LINES:]
        fence = "`" * 3 if "```" not in step.output else "`" * 6
        lines += ["", f"## {step.name.capitalize()}", "", f"`{step.command}`", "", f"{fence}text", *kept, fence]
    return "\n".join(lines) + "\n"


def main(out: Path, pair: str, prompts: int, horizon: int) -> int:
    """Run all steps, print how each ended, and write the report as soon as one more has."""
    try:
        machine = this_machine()
        fetch_pair(pair)
    except InvalidInput as error:
        print(f"benchmarks.gpu: {error}", file=sys.stderr)
        return 2
    out.mkdir(parents=True, exist_ok=True)
    ran: list[Step] = []
    for name, arguments in steps(out, pair, prompts, horizon).items():
        ran.append(run(name, arguments, ALLOWED[name], out))
        write_text(out / "report.md", report(machine, ran))
        print(f"{name}: {ran[-1].verdict} after {ran[-1].seconds:.0f} s", flush=True)
    print(f"Report: {out / 'report.md'}")
    return int(any(step.code != 0 for step in ran))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the report")
    parser.add_argument("--pair", default=PAIR, help="the pair of the table of speeds")
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--horizon", type=int, default=HORIZON, help="tokens after each prompt")
    sys.exit(main(**vars(parser.parse_args())))
