"""From cells to a claim's verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from specproof.reproduce import gather_evidence
from specproof.run_plan import plan_run
from specproof.simulations.claims.claim import FAMILY_LEVEL, Claim, Settings
from specproof.simulations.claims.conclusion import ClaimFindings
from specproof.simulations.evidence import ClaimVerdict, Evidence, Method, from_check, within
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, stream
from specproof.simulations.experiments.store import Store
from specproof.simulations.statistics import Check
from specproof.theory.errors import InvalidInput
from specproof.wanted import Wanted

H, C, I, R = ClaimVerdict.HOLDS, ClaimVerdict.CONSISTENT, ClaimVerdict.INCONCLUSIVE, ClaimVerdict.REFUTED  # noqa: E741


def row(verdict: ClaimVerdict, method: Method = Method.IDENTITY) -> Evidence:
    return Evidence("{}", "x", method, 0, 0, 0, 0, 0, 1, 0, verdict)


def claim_of(*rows: Evidence) -> ClaimFindings:
    return ClaimFindings(Claim("a", "b", "c", lambda _: []), list(rows), {})


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [([H], H), ([H, C, H], C), ([C, I, H], I), ([I, R, C], R)],
)
def test_the_verdict_is_the_most_severe_one_and_controls_have_no_say(
    verdicts: Sequence[ClaimVerdict], worst: ClaimVerdict
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


TWO_CLAIMS = (drawing("first"), drawing("second"))


def gathered(
    claims: tuple[Claim, ...],
    folder: Path,
    announced: list[str] | None = None,
    registered: tuple[Claim, ...] = TWO_CLAIMS,
) -> list[ClaimFindings]:
    store = Store(folder, lambda cell: cell.key(4, 0.0, ""))
    names = [] if announced is None else announced
    plan = plan_run(Wanted(claims, (), registered), Settings(seed=4))
    return gather_evidence(plan, store, jobs=1, announce=lambda cell: names.append(cell.id))


def test_tables_of_all_cells_are_joined_in_order_and_concluded_from(tmp_path: Path) -> None:
    first, second = gathered(TWO_CLAIMS, tmp_path)
    draws = [float(stream(4, f"first/draw-{index}").random()) for index in range(3)]
    assert [record["draw"] for record in first.tables["draws"]] == draws
    assert [record["index"] for record in first.tables["draws"]] == [0, 1, 2]
    expected = {"mean": float(np.mean(draws)), "extra": float(stream(4, "first").random())}
    assert first.tables["summary"] == [expected]
    last = first.rows[-1]
    assert (last.claim, last.cell, last.seed, last.level) == ("first", "conclusion", 4, FAMILY_LEVEL / 2)
    assert second.tables["draws"] != first.tables["draws"]
    assert (first.verdict, first.surprises) == (ClaimVerdict.CONSISTENT, [])


def test_claims_that_test_nothing_statistically_share_no_level(tmp_path: Path) -> None:
    exact = Claim("exact", "b", "c", lambda _: [Cell("exact", "only", lambda _: Findings([row(H)]), {})])
    (found,) = gathered((exact,), tmp_path, registered=(exact,))
    assert found.verdict == H


def test_a_claim_finds_the_same_alone_and_among_others(tmp_path: Path) -> None:
    together = gathered(TWO_CLAIMS, tmp_path / "together")[1]
    alone = gathered(TWO_CLAIMS[1:], tmp_path / "alone")[0]
    assert alone.tables == together.tables
    assert [found.estimate for found in alone.rows] == [found.estimate for found in together.rows]


def test_every_cell_is_announced_and_kept_once(tmp_path: Path) -> None:
    announced: list[str] = []
    gathered(TWO_CLAIMS, tmp_path, announced)
    assert sorted(announced) == [f"{name}/draw-{index}" for name in ("first", "second") for index in range(3)]
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    gathered(TWO_CLAIMS, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == kept


def test_a_conclusion_with_more_tests_than_announced_is_refused(tmp_path: Path) -> None:
    claims = (drawing("only", conclusions=0), drawing("other"))
    with pytest.raises(InvalidInput, match="only/conclusion made 1 tests and announced 0"):
        gathered(claims[:1], tmp_path, registered=claims)
