"""The clock of a pair: what is measured, and how it is read between and beyond the sizes."""

from __future__ import annotations

from typing import Any

import pytest

from specproof.simulations.language_models.clock import Clock, measure_clock
from specproof.theory.errors import InvalidInput

CLOCK = Clock(
    {(1, 1): 1.0, (1, 5): 3.0, (2, 1): 2.0, (2, 5): 5.0}, {1: 0.25, 2: 0.5}, {1: 0.125, 2: 0.25}, {1: 0.0, 2: 2.0}
)


def test_between_the_sizes_it_is_interpolated_and_beyond_them_the_last_slope_goes_on() -> None:
    assert [CLOCK.target(1, tokens) for tokens in (1, 3, 5, 7)] == [1.0, 2.0, 3.0, 4.0]
    assert [CLOCK.target(rows, 5) for rows in (1, 2, 3)] == [3.0, 5.0, 7.0]
    assert [CLOCK.draft(rows) for rows in (1, 2, 4)] == [0.25, 0.5, 1.0]
    assert [CLOCK.selection(1, 4), CLOCK.selection(2, 4)] == [0.5, 1.0]


def test_a_round_is_its_drafts_a_call_its_tests_and_the_copies_of_what_was_read() -> None:
    assert CLOCK.seconds(1, 0) == 1.0 + 0.125
    assert CLOCK.seconds(1, 4) == 4 * 0.25 + 3.0 + 5 * 0.125
    assert CLOCK.seconds(2, 4) == 0.25 + 3 * 0.5 + 2.0 + 5.0 + 4 * 0.25 + 0.125


def test_every_size_is_measured(pair: Any) -> None:
    clock = measure_clock(pair, [1, 3], [1, 4], context=8, repeats=2)
    assert set(clock.target_calls) == {(1, 1), (1, 4), (3, 1), (3, 4)}
    assert set(clock.draft_steps) == set(clock.tests) == set(clock.copies) == {1, 3}
    for measured in (clock.target_calls, clock.draft_steps, clock.tests, clock.copies):
        assert min(measured.values()) > 0


@pytest.mark.parametrize(
    ("rows", "tokens", "context", "message"),
    [
        ([], [1], 8, "rows or tokens is empty"),
        ([0], [1], 8, r"rows\[0\] is 0"),
        ([1], [1, -1], 8, r"tokens\[1\] is -1"),
        ([1], [1], 0, "context is 0"),
        ([1], [1], 64, "context of 64"),
    ],
)
def test_wrong_arguments_are_refused(pair: Any, rows: Any, tokens: Any, context: int, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        measure_clock(pair, rows, tokens, context=context)
