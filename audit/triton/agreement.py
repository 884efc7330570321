"""Whether kernels give the same by the stand-in for Triton as by Triton's interpreter.

``python -m audit.triton.agreement`` runs the audited kernels on every problem of their contract, ragged batches and
drafts without a law among them, with the same random numbers both ways, and compares every token.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.console import Console
from rich.progress import track

from specproof.conformance import Contract, Unsupported
from specproof.conformance.problems.ladder import degenerate_problems, ladder
from specproof.conformance.subject.loading import load_function
from specproof.theory.errors import InvalidInput

FUNCTIONS = {
    "sglang:chain": Contract.CHAIN,
    "sglang:block": Contract.CHAIN,
    "sglang:dspark_kernels": Contract.CHAIN,
    "vllm:first": Contract.CHAIN,
    "vllm:first_constrained": Contract.CHAIN,
    "vllm_fly:verify": Contract.CHAIN,
    "vllm_modes:first_mixed": Contract.CHAIN,
    "vllm_modes:synthetic": Contract.CHAIN,
    "vllm:second": Contract.CHAIN,
    "vllm:second_block": Contract.CHAIN,
    "vllm_modes:second_mixed": Contract.CHAIN,
    "vllm_modes:second_mixed_block": Contract.CHAIN,
    "vllm_rounds:before": Contract.ROUND,
    "vllm_rounds:after": Contract.ROUND,
}
"""The adapters whose kernels are Triton's, and their contracts."""
TRIALS = 10
"""On each problem: the interpreter takes tens of milliseconds for one."""

END = -2


def tokens(function: str) -> NDArray[np.int64]:
    """What the kernels emit on the problems that they take, one after the other, with an :data:`END` after each."""
    contract, verify = FUNCTIONS[function], load_function(f"audit.adapters.{function}")
    emitted: list[ArrayLike] = []
    for problem in (*ladder(contract).values(), *degenerate_problems(contract).values()):
        rng = np.random.default_rng(len(emitted))
        try:
            rows = verify(*problem.positional(problem.arguments(TRIALS, rng)), rng)
        except Unsupported:
            rows = np.empty(0, dtype=np.int64)
        emitted += [rows.ravel(), [END]]
    return np.concatenate(emitted)


def interpreted(functions: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """The same by Triton's interpreter, which wants a process of its own; end as that one does if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "tokens.json")
        command = [sys.executable, "-m", __spec__.name, *functions, "--write", str(file)]
        environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONWARNINGS": "ignore"}
        if failed := subprocess.run(command, env=environment, check=False).returncode:
            sys.exit(failed)
        return {name: np.array(emitted) for name, emitted in json.loads(file.read_text()).items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print for each function how many tokens were compared and how many differ; end with 1 if one does."""
    parser = argparse.ArgumentParser(prog="python -m audit.triton.agreement", description=main.__doc__)
    names = ", ".join(FUNCTIONS)
    parser.add_argument("functions", nargs="*", help=f"these alone, of {names}", metavar="FUNCTION")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    chosen = given.functions or list(FUNCTIONS)
    if unknown := set(chosen) - set(FUNCTIONS):
        parser.error(f"{min(unknown)} is not audited: give some of {names}")
    try:
        if given.write:
            console = Console(stderr=True)
            theirs = {name: tokens(name).tolist() for name in track(chosen, "interpreting", console=console)}
            given.write.write_text(json.dumps(theirs))
        else:
            sys.exit(_compare(chosen))
    except InvalidInput as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")


def _compare(functions: Sequence[str]) -> int:
    """Print what agrees, and say whether something does not."""
    disagree = False
    for name, theirs in interpreted(functions).items():
        ours = tokens(name)
        differ = int(np.sum(ours != theirs)) if ours.shape == theirs.shape else max(ours.size, theirs.size)
        print(f"{name:<32}{np.sum(ours != END):>8,} tokens, {differ:,} differ")
        disagree |= differ > 0
    return int(disagree)


if __name__ == "__main__":
    main()
