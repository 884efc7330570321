"""How a check shares its level among its tests."""

from __future__ import annotations

import pytest

from specproof.conformance.arguments import DEFAULT, Settings
from specproof.conformance.contract import Contract
from specproof.conformance.evidence.small_batches import KINDS, KNOWN_IN, TESTS
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.references import token_by_token
from specproof.conformance.stages.state import Check

LEVEL = 1e-3


def begun(problem: str | None = None) -> Check:
    """Begin a check of the contract chain."""
    return Check(token_by_token, Settings(Contract.CHAIN, DEFAULT, LEVEL, 0, "numpy", False, problem=problem))


def spent(check: Check) -> float:
    """Sum the levels of the tests of one problem, of the generators and of all problems together."""
    tests = sum(watch.tests for watch in (*check.watches.values(), *check.degenerate.values()))
    in_small_batches = len(set(check.watches) & set(check.small_names))
    tests += len(KINDS) * len(check.beside()) + in_small_batches * TESTS
    return (tests + 1) * check.share + (2 + len(KNOWN_IN)) * check.share_together


def test_all_tests_of_a_check_have_the_level() -> None:
    assert spent(begun()) == pytest.approx(LEVEL)


def test_checks_of_all_problems_in_turn_have_no_more_than_one_check() -> None:
    assert sum(spent(begun(name)) for name in ladder("chain")) <= LEVEL
