"""A broken sampler is caught: by the claim's own tests, and by the command run on a copy of the source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import specproof
from specproof.simulations.claims.spectr2023 import kseq_valid
from specproof.simulations.evidence import ClaimVerdict, Method
from specproof.simulations.experiments.cell import CellContext
from specproof.simulations.samplers import kseq
from specproof.theory.distribution import Array

Residual = Callable[[Array, Array, int, Array], Array]


def accepted_once(draft: Array, target: Array, rho: Array) -> Array:
    return np.minimum(draft, target / np.expand_dims(rho, -1))


def with_power(shift: int) -> Residual:
    def residual(draft: Array, target: Array, num_drafts: int, rho: Array) -> Array:
        once = accepted_once(draft, target, rho)
        missed = 1 - once.sum(axis=-1, keepdims=True)
        return np.maximum(target - once * sum(missed**m for m in range(num_drafts + shift)), 0.0)

    return residual


BROKEN: dict[str, Residual] = {
    "the target": lambda p, q, k, rho: q + 0 * p,
    "the draft": lambda p, q, k, rho: p + 0 * q,
    "of one draft": lambda p, q, k, rho: np.maximum(q - p, 0.0),
    "uniform": lambda p, q, k, rho: np.ones(np.broadcast_shapes(p.shape, q.shape)),
    "factor of the tries dropped": lambda p, q, k, rho: np.maximum(q - accepted_once(p, q, rho), 0.0),
    "k for the factor of the tries": lambda p, q, k, rho: np.maximum(q - k * accepted_once(p, q, rho), 0.0),
    "power too small": with_power(-1),
    "power too large": with_power(1),
}


def refuted(num_drafts: int) -> list[str]:
    """At 50,000 trials and level 1e-9 a token's probability off by 0.02 is seen with probability 0.99."""
    rows = kseq_valid.simulation(CellContext(np.random.default_rng(0), 1e-9), num_drafts, 50_000).rows
    return [row.quantity for row in rows if row.verdict == ClaimVerdict.REFUTED and row.method != Method.CONTROL]


@pytest.mark.parametrize("residual", BROKEN.values(), ids=BROKEN)
def test_a_broken_residual_is_refuted_at_once(monkeypatch: pytest.MonkeyPatch, residual: Residual) -> None:
    assert refuted(2) == []
    monkeypatch.setattr(kseq, "residual_weights", residual)
    assert "emitted tokens" in refuted(2)


def test_the_right_residual_by_another_formula_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kseq, "residual_weights", with_power(0))
    assert refuted(2) == []


@pytest.mark.slow
def test_the_command_on_a_broken_copy_of_the_source_ends_with_1(tmp_path: Path) -> None:
    shutil.copytree(Path(specproof.__file__).parent, tmp_path / "specproof")
    with (tmp_path / "specproof" / "simulations" / "samplers" / "kseq.py").open("a") as source:
        source.write("\n\ndef residual_weights(draft, target, num_drafts, rho):\n    return target + 0.0 * draft\n")
    done = subprocess.run(
        [sys.executable, "-m", "specproof", "reproduce", "spectr2023.kseq-valid", "--jobs", "1", "--out", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    surprises = [line for line in done.stdout.splitlines() if line.startswith("refuted: spectr2023.kseq-valid: ")]
    assert any("emitted tokens {" in line and "(seed 0, cell simulation-k" in line for line in surprises)
    assert all(line.startswith("[") for line in done.stderr.splitlines())
