"""What correct samplers' checks could have seen is printed, a row each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specproof.conformance import sharpness


def test_it_prints_a_row_of_each_contract_that_was_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(sharpness.DEFAULT, first=400, rounds=2, small=8, degenerate=20)
    monkeypatch.setattr(sharpness, "DEFAULT", few)
    sharpness.main(["--contract", "round", "--contract", "generate"])
    first, _, heading, rule, *rows = capsys.readouterr().out.splitlines()
    assert first == "At most 2 rounds from 400 trials on, 10 s each."
    assert [row.split(" | ")[1] for row in rows] == ["round", "generate"]
    assert {row.count("|") for row in (heading, rule, *rows)} == {7}
    for row in rows:
        everywhere, alone = (float(cell.rstrip(" |")) for cell in row.split(" | ")[-2:])
        assert 0.01 < everywhere < alone < 1


def test_every_contract_has_a_reference() -> None:
    known = sharpness.references()
    assert sorted(known[name][0] for name in sharpness.REFERENCES) == sorted(sharpness.Contract)
