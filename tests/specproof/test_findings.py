"""The table of claims counts what is as it should be, and nothing that could not be decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulations.claims.claim import Claim
from simulations.claims.gather import ClaimFindings
from simulations.evidence import Evidence, Method, from_check, within
from simulations.statistics import Check
from specproof.findings import show


def exact(estimate: float, method: Method = Method.IDENTITY) -> Evidence:
    return within("x", exact=1.0, estimate=estimate, tolerance=0.5, method=method)


def statistical(exact: float, detectable: float, method: Method = Method.SIMULATION) -> Evidence:
    """Refuted where 0.5 is far off, inconclusive where 0.1 would not have been seen."""
    check = Check(exact, estimate=0.5, low=0.4, high=0.6, trials=7, detectable=detectable)
    return from_check("y", check, level=1e-8, resolution=0.1, method=method)


ROWS = [
    *(exact(1.0), exact(1.0), exact(2.0)),
    *(statistical(0.5, 0.01), statistical(0.5, 0.01), statistical(0.5, 9.0), statistical(0.0, 0.01)),
    *(exact(2.0, Method.CONTROL), exact(1.0, Method.CONTROL)),
    *(
        statistical(0.0, 0.01, Method.CONTROL),
        statistical(0.5, 9.0, Method.CONTROL),
        statistical(0.5, 9.0, Method.CONTROL),
    ),
]


@pytest.mark.parametrize("claim", ["a.b", "spectr2023.maximal-coupling"])
def test_only_what_was_decided_well_counts(claim: str, capsys: pytest.CaptureFixture[str]) -> None:
    show([ClaimFindings(Claim(claim, "", "", lambda _: []), ROWS, {})], Path("out"))
    printed = capsys.readouterr().out
    (line,) = (line for line in printed.splitlines() if line.startswith(f"│ {claim} "))
    assert [cell.split()[0] for cell in line.strip("│").split("│")] == [claim, "refuted", "2/3", "2/4", "2/5"]
    assert "(1" in line.split("│")[4]
    assert "(2" in line.split("│")[5]
    assert "…" not in printed, "nothing is cut"
