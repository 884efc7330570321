"""The table of claims counts what is as it should be, and nothing that could not be decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from specproof.findings import print_findings
from specproof.simulations.claims.claim import Claim
from specproof.simulations.claims.conclusion import ClaimFindings
from specproof.simulations.claims.registry import CLAIMS
from specproof.simulations.evidence import Evidence, Method, from_check, within
from specproof.simulations.statistics import Check


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


def shown(claim: str, rows: list[Evidence], capsys: pytest.CaptureFixture[str]) -> str:
    print_findings([ClaimFindings(Claim(claim, "", "", lambda _: []), rows, {})], Path("out"))
    return capsys.readouterr().out


def test_only_what_was_decided_well_counts(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = (line for line in shown("a.b", ROWS, capsys).splitlines() if line.startswith("a.b "))
    assert line.split() == ["a.b", "refuted", "2/3", "2/4", "(1", "inconclusive)", "2/5", "(2", "inconclusive)"]


def test_80_columns_break_no_word(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    longest = max((claim.id for claim in CLAIMS), key=len)
    undecided = [statistical(0.5, 9.0), statistical(0.5, 9.0, Method.CONTROL)]
    words = shown(longest, undecided, capsys).split()
    assert (words.count(longest), words.count("inconclusive"), words.count("inconclusive)")) == (1, 1, 2)


def test_what_rounds_to_zero_has_no_sign(capsys: pytest.CaptureFixture[str]) -> None:
    claim = Claim("a.b", "", "", lambda _: [], digest={"losses": ("lost",)})
    print_findings([ClaimFindings(claim, ROWS, {"losses": [{"lost": -1e-17}, {"lost": -0.25}]})], Path("out"))
    assert capsys.readouterr().out.split("losses\n")[1].split()[:3] == ["lost", "0.000", "-0.250"]
