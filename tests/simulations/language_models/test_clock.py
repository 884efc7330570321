"""The clock of a pair: what is measured, and how it is read between and beyond the sizes."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest

from specproof.simulations.language_models import clock
from specproof.simulations.language_models.clock import Clock, ClockSamples, measure_clock
from specproof.simulations.traces.configuration import Configuration
from specproof.simulations.traces.measured import MeasuredCosts
from specproof.theory.errors import InvalidInput

TESTS = {("single", 1): 0.125, ("kseq", 2): 0.25, ("priority", 2): 0.75}
CLOCK = Clock({(1, 1): 1.0, (1, 5): 3.0, (2, 1): 2.0, (2, 5): 5.0}, {1: 0.25, 2: 0.5}, TESTS, {1: 0.0, 2: 2.0})


def test_between_the_sizes_it_is_interpolated_and_beyond_them_the_last_slope_goes_on() -> None:
    assert [CLOCK.target(1, tokens) for tokens in (1, 3, 5, 7)] == [1.0, 2.0, 3.0, 4.0]
    assert [CLOCK.target(rows, 5) for rows in (1, 2, 3)] == [3.0, 5.0, 7.0]
    assert [CLOCK.draft(rows) for rows in (1, 2, 4)] == [0.25, 0.5, 1.0]
    assert [CLOCK.selection(1, 4), CLOCK.selection(2, 4)] == [0.5, 1.0]


def test_a_round_is_its_drafts_a_call_its_tests_and_the_copies_of_what_was_read() -> None:
    assert CLOCK.seconds(1, 0) == 1.0 + 0.125
    assert CLOCK.seconds(1, 4) == 4 * 0.25 + 3.0 + 5 * 0.125
    assert CLOCK.seconds(2, 4) == 0.25 + 3 * 0.5 + 2.0 + 5.0 + 4 * 0.25 + 0.125


def test_several_drafts_cost_what_their_own_rule_does() -> None:
    assert CLOCK.seconds(2, 4, "priority") - CLOCK.seconds(2, 4, "kseq") == 4 * (0.75 - 0.25)
    assert CLOCK.seconds(1, 4, "priority") == CLOCK.seconds(1, 4, "kseq")
    assert CLOCK.seconds(2, 4, "not measured") == CLOCK.seconds(2, 4, "kseq")
    costs = MeasuredCosts(CLOCK)
    asked = [Configuration(rule, 2, 4) for rule in ("kseq", "priority")]
    assert costs.call(asked[1]) - costs.call(asked[0]) == pytest.approx(4 * (0.75 - 0.25) / CLOCK.seconds(1, 0))


def test_every_size_is_measured(pair: Any) -> None:
    found = measure_clock(pair, [1, 3], [1, 4], context=8, repeats=2)
    assert set(found.target_calls) == {(1, 1), (1, 4), (3, 1), (3, 4)}
    assert set(found.draft_steps) == set(found.copies) == {1, 3}
    assert set(found.tests) == {("single", 1), ("kseq", 3)}
    for measured in (found.target_calls, found.draft_steps, found.tests, found.copies):
        assert min(measured.values()) > 0


def test_samples_are_averaged_and_what_warms_up_is_not_kept(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0] * 6 + [1.0] * 6 + [2.0] * 6 + [6.0] * 6)
    monkeypatch.setattr(clock, "_timed", lambda call, _: call() or next(times))
    samples = ClockSamples(pair, [2], [1, 3], context=8)  # two calls, a step, a copy, and tests of one draft and two
    samples.take(keep=False)
    for _ in range(3):
        samples.take()
    assert samples.clock().target_calls == {(2, 1): 2.0, (2, 3): 2.0}
    found = samples.clock(fmean)
    assert [found.draft(2), found.selection(2, 1), found.copies[2]] == [3.0, 3.0, 3.0]


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
