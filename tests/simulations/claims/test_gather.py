"""From cells to a claim's verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import specproof.simulations.claims.registry as registry
from specproof.simulations.claims.claim import FAMILY_LEVEL, Claim, Settings
from specproof.simulations.claims.gather import ClaimFindings, gather
from specproof.simulations.evidence import Evidence, Method, Verdict, from_check, within
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, stream
from specproof.simulations.experiments.store import Store
from specproof.simulations.statistics import Check

H, C, I, R = Verdict.HOLDS, Verdict.CONSISTENT, Verdict.INCONCLUSIVE, Verdict.REFUTED  # noqa: E741


def row(verdict: Verdict, method: Method = Method.IDENTITY) -> Evidence:
    return Evidence("{}", "x", method, 0, 0, 0, 0, 0, 1, 0, verdict)


def claim_of(*rows: Evidence) -> ClaimFindings:
    return ClaimFindings(Claim("a", "b", "c", lambda _: []), list(rows), {})


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [([H], H), ([H, C, H], C), ([C, I, H], I), ([I, R, C], R)],
)
def test_the_verdict_is_the_most_severe_one_and_controls_have_no_say(
    verdicts: Sequence[Verdict], worst: Verdict
) -> None:
    controls = [row(verdict, Method.CONTROL) for verdict in (H, R)]
    assert claim_of(*controls, *map(row, verdicts)).verdict == worst


def test_surprises_are_refuted_rows_and_controls_that_hold() -> None:
    """A control on too little data is no surprise; its claim is inconclusive there as well."""
    rows = [row(verdict, method) for method in (Method.SIMULATION, Method.CONTROL) for verdict in (H, C, I, R)]
    assert claim_of(*rows).surprises == [rows[3], rows[4], rows[5]]


def draw(context: CellContext, index: int) -> Findings:
    number = float(context.rng.random())
    return Findings(
        [within("number", exact=number, estimate=number, tolerance=0)], {"draws": [{"index": index, "draw": number}]}
    )


def conclude(context: CellContext) -> Findings:
    mean = float(np.mean([record["draw"] for record in context.tables["draws"]]))
    check = from_check("mean", Check(0.5, mean, 0.0, 1.0, len(context.tables["draws"]), 0.5), level=context.level)
    return Findings([check], {"summary": [{"mean": mean, "extra": float(context.rng.random())}]})


def drawing(name: str, conclusions: int = 1) -> Claim:
    return Claim(
        name,
        "source",
        "statement",
        lambda settings: [Cell(name, f"draw-{i}", draw, {"index": i}) for i in range(settings.sized(3, 5))],
        conclude,
        conclusions=conclusions,
    )


@pytest.fixture
def two_claims(monkeypatch: pytest.MonkeyPatch) -> tuple[Claim, ...]:
    claims = (drawing("first"), drawing("second"))
    monkeypatch.setattr(registry, "CLAIMS", claims)
    return claims


def gathered(claims: Sequence[Claim], folder: Path, announced: list[str] | None = None) -> list[ClaimFindings]:
    store = Store(folder, lambda cell: cell.key(4, 0.0, ""))
    names = [] if announced is None else announced
    return gather(claims, Settings(seed=4), store, jobs=1, scheduler=None, announce=lambda cell: names.append(cell.id))


def test_tables_of_all_cells_are_joined_in_order_and_concluded_from(
    two_claims: tuple[Claim, ...], tmp_path: Path
) -> None:
    first, second = gathered(two_claims, tmp_path)
    draws = [float(stream(4, f"first/draw-{index}").random()) for index in range(3)]
    assert [record["draw"] for record in first.tables["draws"]] == draws
    assert [record["index"] for record in first.tables["draws"]] == [0, 1, 2]
    expected = {"mean": float(np.mean(draws)), "extra": float(stream(4, "first").random())}
    assert first.tables["summary"] == [expected]
    last = first.rows[-1]
    assert (last.claim, last.cell, last.seed, last.level) == ("first", "conclusion", 4, FAMILY_LEVEL / 2)
    assert second.tables["draws"] != first.tables["draws"]
    assert (first.verdict, first.surprises) == (Verdict.CONSISTENT, [])


def test_a_claim_finds_the_same_alone_and_among_others(two_claims: tuple[Claim, ...], tmp_path: Path) -> None:
    together = gathered(two_claims, tmp_path / "together")[1]
    alone = gathered(two_claims[1:], tmp_path / "alone")[0]
    assert alone.tables == together.tables
    assert [found.estimate for found in alone.rows] == [found.estimate for found in together.rows]


def test_every_cell_is_announced_and_kept_once(two_claims: tuple[Claim, ...], tmp_path: Path) -> None:
    announced: list[str] = []
    gathered(two_claims, tmp_path, announced)
    assert sorted(announced) == [f"{name}/draw-{index}" for name in ("first", "second") for index in range(3)]
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    gathered(two_claims, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == kept


def test_a_conclusion_with_more_tests_than_announced_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    claims = (drawing("only", conclusions=0), drawing("other"))
    monkeypatch.setattr(registry, "CLAIMS", claims)
    with pytest.raises(AssertionError, match="only/conclusion made 1 tests and announced 0"):
        gathered(claims[:1], tmp_path)
