"""The largest error of each quantity, and the least of what has a bound; what is not a number never passes."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from specproof.simulations.claims.worst import TOLERANCE, Least, Worst
from specproof.simulations.evidence import ClaimVerdict, Method


def test_the_largest_error_of_each_quantity_is_kept() -> None:
    worst = Worst(tokens="1..4")
    for error in (1e-14, -3e-13, np.float64(2e-13)):
        worst.see("a", error)
    worst.see("b", np.array(0.5), instances=7, method=Method.CONTROL)
    worst.see("c", 0.5, instances=np.int64(2), tolerance=0.5)
    rows = worst.rows()
    assert [(row.quantity, row.estimate, row.trials) for row in rows] == [
        ("worst error: a", 3e-13, 3),
        ("worst error: b", 0.5, 7),
        ("worst error: c", 0.5, 2),
    ]
    assert [row.verdict for row in rows] == [ClaimVerdict.HOLDS, ClaimVerdict.REFUTED, ClaimVerdict.HOLDS]
    assert [row.detectable for row in rows] == [TOLERANCE, TOLERANCE, 0.5]
    assert [row.method for row in rows] == [Method.IDENTITY, Method.CONTROL, Method.IDENTITY]
    assert all(json.loads(row.instance) == {"tokens": "1..4"} for row in rows)


@pytest.mark.parametrize("error", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("others", [[], [0.0], [0.0, 1e-15]])
@pytest.mark.parametrize("position", [0, -1])
def test_an_error_that_is_no_number_refutes(error: float, others: list[float], position: int) -> None:
    worst = Worst()
    for seen in [error, *others] if position == 0 else [*others, error]:
        worst.see("a", seen)
    assert worst.rows()[0].verdict == ClaimVerdict.REFUTED


def test_the_least_of_each_quantity_and_bound_is_kept() -> None:
    least = Least(tokens="1..4")
    for value in (0.5, np.array([[0.25, 3.0], [-1e-13, 2.0]]), np.float64(0.75)):
        least.see("a", value)
    least.see("b", np.array([1.0, 2.0, 3.0]), bound=2.0, instances=7, method=Method.CONTROL)
    least.see("b", 1.5, bound=1.5, tolerance=0.0)
    least.see("b", 1.0, bound=1.5, tolerance=0.5)
    rows = least.rows()
    assert [(row.quantity, row.exact, row.estimate, row.trials) for row in rows] == [
        ("a", 0.0, -1e-13, 6),
        ("b", 2.0, 1.0, 7),
        ("b", 1.5, 1.5, 1),
        ("b", 1.5, 1.0, 1),
    ]
    assert [row.verdict for row in rows] == [
        ClaimVerdict.HOLDS,
        ClaimVerdict.REFUTED,
        ClaimVerdict.HOLDS,
        ClaimVerdict.HOLDS,
    ]
    assert [row.detectable for row in rows] == [TOLERANCE, TOLERANCE, 0.0, 0.5]
    assert [row.method for row in rows] == [Method.IDENTITY, Method.CONTROL, Method.IDENTITY, Method.IDENTITY]
    assert all(json.loads(row.instance) == {"tokens": "1..4"} for row in rows)


@pytest.mark.parametrize("value", [math.nan, -math.inf, -1e-9])
@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("together", [True, False])
def test_a_value_below_its_bound_or_none_at_all_refutes(value: float, position: int, together: bool) -> None:
    values, least = np.insert([0.0, 1.0], position, value), Least()
    for seen in [values] if together else values:
        least.see("a", seen)
    assert [(row.verdict, row.trials) for row in least.rows()] == [(ClaimVerdict.REFUTED, 3)]
