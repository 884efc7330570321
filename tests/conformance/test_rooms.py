"""The kit's rooms: small modules, and contracts that nothing but their own files tells apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from specproof import conformance
from specproof.conformance import Contract
from specproof.conformance.problems import PROBLEMS
from specproof.conformance.references import references

ROOM = Path(conformance.__file__).parent
MODULES = sorted(ROOM.rglob("*.py"))
OF_CONTRACTS = ("problems/", "defects/", "strategies/", "references.py", "public.py", "contract.py")
"""What is written for a contract stands in these; whatever else there is takes a problem as it is."""


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOM)))
def test_a_module_is_small_and_asks_no_problem_for_its_kind(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    assert not re.search(r"isinstance\([^)]*Problem", text)
    if not str(module.relative_to(ROOM)).startswith(OF_CONTRACTS):
        assert not re.search(r"\b(Chain|Multi|Generate)Problem\b", text)


def test_every_contract_has_its_problem_and_a_reference() -> None:
    assert list(PROBLEMS) == list(Contract)
    assert {contract for contract, _ in references().values()} == set(Contract)
