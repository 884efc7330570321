"""Every experiment at a tiny size: its claim holds, its controls are refuted, and its budget of tests suffices.

Level 1e-9 for each of the some hundred tests and a fixed seed: over the whole file a false alarm has probability 1e-7.
The sizes are about the smallest at which every control is refuted; the most lenient one tells laws 0.02 apart.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from specproof.run_plan import plan_run
from specproof.simulations.claims.claim import FAMILY_LEVEL, Settings
from specproof.simulations.claims.registry import CLAIMS
from specproof.simulations.evidence import ClaimVerdict, Method
from specproof.simulations.experiments.cell import Cell, Findings, run_cell
from specproof.wanted import Wanted

LEVEL = 1e-9
SMALLEST: Mapping[str, int] = {
    "instances": 6,
    "runs": 60_000,
    "trials": 50_000,
    "tokens": 200,
    "generations": 20,
    "members": 3,
    "finish": 60,
    "most_drafts": 50,
}
"""Parameters that only decide how much is done."""
DEAR: Mapping[str, Mapping[str, int]] = {"trees.layer-lift": {"instances": 2}}
"""The same for claims whose instances are linear programs, of which each takes a second."""


def tiny(cell: Cell) -> Cell:
    smallest = {**SMALLEST, **DEAR.get(cell.claim, {})}
    shrunk = {name: min(value, smallest.get(name, value)) for name, value in cell.parameters.items()}
    return replace(cell, parameters=shrunk)


CELLS = {
    cell.id: tiny(cell)
    for claim in CLAIMS
    if not claim.needs_models
    for cell in claim.cells(Settings())
    if "/routes-" not in cell.id or cell.name == "routes-0"
}
"""One of the batches that differ in their stream alone."""
NIGHTLY = (
    "judge.share-of-block-optimum/random-",
    "judge.share-of-block-optimum/structured",
    "recursive.lossless/without-k2",
    "spectr2023.block-efficiency/map",
    "spectr2023.block-efficiency/simulation-",
    "text.calls/long-run-kseq",
    "text.calls/long-run-priority",
    "text.calls/long-run-recursive",
    "text.calls/simulation-block-verification",
    "text.calls/simulation-kseq",
    "trees.layer-lift/V2-L2-K3",
    "trees.layer-lift/V2-L3-K2",
    "trees.layer-lift/V3-L2-K2",
)
"""How the names of cells begin that take seconds at any size."""
GATED = {cell.claim: name for name, cell in reversed(CELLS.items()) if not name.startswith(NIGHTLY)}
"""The first cell of a claim that does not; the gate has the others at full size, in the reproduction."""


@functools.cache
def run(name: str) -> Findings:
    """With the check that it makes no more tests than it announced."""
    return run_cell(CELLS[name], 0, LEVEL)


def together(claim: str) -> pytest.MarkDecorator:
    """One worker runs all cells of a claim, once for all tests of them."""
    return pytest.mark.xdist_group(f"cells of {claim}")


def marks(claim: str, name: str) -> list[pytest.MarkDecorator]:
    """One worker for the claim, nightly for all its cells but one."""
    return [together(claim), *([] if name and GATED.get(claim) == name else [pytest.mark.slow])]


def names_of(claim: str) -> list[str]:
    return [name for name, cell in CELLS.items() if cell.claim == claim]


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks(cell.claim, name)) for name, cell in CELLS.items()])
def test_the_claim_holds_and_its_controls_do_not(name: str) -> None:
    found = run(name)
    assert found.rows or found.tables
    wrong = [
        (row.quantity, row.verdict, row.estimate)
        for row in found.rows
        if (row.verdict == ClaimVerdict.REFUTED) != (row.method == Method.CONTROL)
    ]
    assert wrong == []
    assert sum(row.level > 0 and row.method != Method.CONTROL for row in found.rows) == CELLS[name].tests
    assert all(row.level in (0.0, LEVEL) for row in found.rows)


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(claim, marks=marks(claim, GATED.get(claim, "")))
        for claim in dict.fromkeys(cell.claim for cell in CELLS.values())
    ],
)
def test_every_claim_has_a_control(claim: str) -> None:
    """In one of its cells; those that are dear are not looked at if another has one."""
    names = sorted(names_of(claim), key=lambda name: name.startswith(NIGHTLY))
    kinds = (row.method == Method.CONTROL for name in names for row in run(name).rows)
    assert any(kinds)


@pytest.mark.parametrize("scale", ["quick", "full"])
def test_the_levels_of_all_tests_add_up_to_the_family_level(scale: str) -> None:
    settings = Settings(scale=scale, prompts=({"text": "a", "id": "1"},))
    plan = plan_run(Wanted(CLAIMS[:1], (), CLAIMS), settings)
    tests = sum(claim.conclusions + sum(cell.tests for cell in claim.cells(settings)) for claim in CLAIMS)
    assert tests * plan.level == pytest.approx(FAMILY_LEVEL, rel=1e-12)


def test_claims_and_cells_have_names_of_their_own() -> None:
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        prompts = tuple({"text": "a", "id": str(index)} for index in range(60))
        cells = claim.cells(Settings(prompts=prompts))
        assert {cell.claim for cell in cells} == {claim.id}
        assert len({cell.name for cell in cells}) == len(cells)


def test_full_runs_are_larger_than_quick_ones() -> None:
    for claim in CLAIMS:
        prompts = ({"text": "a", "id": "1"},)
        quick, full = (claim.cells(Settings(scale=scale, prompts=prompts)) for scale in ("quick", "full"))
        assert [cell.parameters for cell in quick] != [cell.parameters for cell in full]
        assert len(full) >= len(quick)


def test_the_figure_data_of_theorem_1_converges() -> None:
    """The last row is the mean of all runs; its 99 per cent interval is checked at 1e-9 by the claim's own test."""
    table = run("yin2024.theorem1/chain").tables["convergence"]
    runs = [record["runs"] for record in table]
    assert runs == sorted(set(runs))
    assert (runs[0], runs[-1]) == (100, 60_000)
    assert all(record["low"] <= record["mean"] <= record["high"] for record in table)
    widths = np.array([record["high"] - record["low"] for record in table])
    assert widths[-1] < 0.1 * widths[0]
