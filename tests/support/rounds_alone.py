"""The rounds of a check by themselves: what they find, without the search for a small problem that explains it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from check_budgets import QUICK

from specproof.conformance.arguments import LEVEL, Settings
from specproof.conformance.contract import Contract
from specproof.conformance.report.finding import Finding
from specproof.conformance.stages.first_calls import call_every_problem
from specproof.conformance.stages.rounds import run_rounds
from specproof.conformance.stages.state import Check


def found_in_rounds(function: Any, contract: str, rounds: int) -> list[Finding]:
    """Run so many rounds of all problems of a contract."""
    check = Check(function, Settings(Contract(contract), replace(QUICK, rounds=rounds), LEVEL, 0, "numpy", False))
    call_every_problem(check)
    return run_rounds(check)
