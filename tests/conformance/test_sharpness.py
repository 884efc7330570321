"""What correct samplers' checks could have seen is printed, a row each."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from specproof.conformance import Contract, sharpness
from specproof.conformance.arguments import DEFAULT
from specproof.conformance.references import references


def test_it_prints_a_row_of_each_contract_that_was_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(DEFAULT, first=400, rounds=2, small=8, degenerate=20)
    monkeypatch.setattr(sharpness, "DEFAULT", few)
    clock = time.monotonic
    sharpness.main(["--own-core", "--contract", "round", "--contract", "generate"])
    assert time.monotonic is clock
    first, _, heading, rule, *rows = capsys.readouterr().out.splitlines()
    assert first == "At most 2 rounds from 400 trials on, 10 seconds of the processor each."
    assert [row.split(" | ")[1] for row in rows] == ["round", "generate"]
    assert {row.count("|") for row in (heading, rule, *rows)} == {7}
    for row in rows:
        everywhere, alone = (float(cell.rstrip(" |")) for cell in row.split(" | ")[-2:])
        assert 0.01 < everywhere < alone < 1


def test_every_contract_has_a_reference() -> None:
    known = references()
    assert sorted(known[name][0] for name in sharpness.REFERENCES) == sorted(Contract)
