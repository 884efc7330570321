"""Rows: what each constructor calls its verdict, at and beside the line, and the table they make."""

from __future__ import annotations

import json
import math

import pytest

from specproof.simulations.evidence import (
    COLUMNS,
    ClaimVerdict,
    Evidence,
    Method,
    as_table,
    at_least,
    from_check,
    within,
)
from specproof.simulations.statistics import Check


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [
        (1.0, ClaimVerdict.HOLDS),
        (1.25, ClaimVerdict.HOLDS),
        (0.75, ClaimVerdict.HOLDS),
        (1.2500001, ClaimVerdict.REFUTED),
        (0.7499999, ClaimVerdict.REFUTED),
        (math.nan, ClaimVerdict.REFUTED),
        (math.inf, ClaimVerdict.REFUTED),
    ],
)
def test_within_its_tolerance(estimate: float, verdict: ClaimVerdict) -> None:
    row = within("x", exact=1.0, estimate=estimate, tolerance=0.25)
    assert row.verdict == verdict
    assert (row.low, row.high, row.level, row.detectable) == (0.75, 1.25, 0.0, 0.25)


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [
        (9.0, ClaimVerdict.HOLDS),
        (0.75, ClaimVerdict.HOLDS),
        (0.7499999, ClaimVerdict.REFUTED),
        (math.nan, ClaimVerdict.REFUTED),
    ],
)
def test_at_least_its_bound(estimate: float, verdict: ClaimVerdict) -> None:
    row = at_least("x", bound=1.0, estimate=estimate, tolerance=0.25)
    assert row.verdict == verdict
    assert (row.low, row.high, row.level) == (0.75, math.inf, 0.0)


@pytest.mark.parametrize(
    ("exact", "detectable", "verdict"),
    [
        (0.5, 0.1, ClaimVerdict.CONSISTENT),
        (0.5, 0.1000001, ClaimVerdict.INCONCLUSIVE),
        (0.4, 0.1, ClaimVerdict.CONSISTENT),
        (0.39, 0.05, ClaimVerdict.REFUTED),
        (0.39, 9.0, ClaimVerdict.REFUTED),
    ],
)
def test_a_check_needs_power_to_be_consistent(exact: float, detectable: float, verdict: ClaimVerdict) -> None:
    check = Check(exact, estimate=0.5, low=0.4, high=0.6, trials=7, detectable=detectable)
    row = from_check("x", check, level=1e-8, resolution=0.1)
    assert row.verdict == verdict
    assert (row.exact, row.estimate, row.low, row.high, row.trials) == (exact, 0.5, 0.4, 0.6, 7)
    assert (row.level, row.detectable) == (1e-8, detectable)


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("estimate", [1.0, 2.0])
def test_controls_are_expected_to_be_refuted_and_nothing_else_is(method: Method, estimate: float) -> None:
    row = within("x", exact=1.0, estimate=estimate, tolerance=0.5, method=method)
    assert row.is_expected == ((estimate == 2.0) == (method == Method.CONTROL))


def test_the_table_has_plain_values_in_the_stated_columns() -> None:
    rows = [
        within("x", exact=1.0, estimate=1.0, tolerance=0.0, tokens=3, name="a"),
        at_least("y", bound=0, estimate=1, tolerance=0),
    ]
    table = as_table(rows)
    assert list(table.columns) == COLUMNS
    assert COLUMNS[0] == "claim"
    assert json.loads(table.loc[0, "instance"]) == {"name": "a", "tokens": 3}
    assert [type(value) for value in table.loc[0, ["method", "verdict"]]] == [str, str]
    assert table["method"].tolist() == ["exact identity"] * 2


def test_no_rows_still_make_a_table() -> None:
    assert list(as_table([]).columns) == COLUMNS
    assert set(COLUMNS) == set(Evidence.__dataclass_fields__)
