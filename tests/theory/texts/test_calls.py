"""Calls given a text: against every way to cut the text into calls, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from specproof import InvalidInput
from specproof.theory.texts import by_depth, call_starts, expected_calls, token_by_token, tokens_and_calls

TOLERANCE = 1e-12
RNG = np.random.default_rng(122)
TOKENS, LENGTH = 8, 3
REACH = by_depth(RNG.random((LENGTH, TOKENS)), LENGTH)


def ways(reach: np.ndarray, start: int = 0) -> Iterator[tuple[list[int], float]]:
    """Every sequence of starts of calls until the text is emitted, with its probability."""
    tokens, columns = reach.shape
    if start >= tokens:
        yield [], 1.0
        return
    for accepted in range(columns):
        longer = reach[start, accepted + 1] if accepted + 1 < columns else 0.0
        chance = reach[start, accepted] - longer
        if chance > 0:
            for later, probability in ways(reach, start + accepted + 1):
                yield [start, *later], chance * probability


def test_starts_and_calls_are_those_of_all_ways_to_emit_the_text() -> None:
    starts, calls, total = np.zeros(TOKENS), 0.0, 0.0
    for found, probability in ways(REACH):
        starts[found] += probability
        calls += len(found) * probability
        total += probability
    assert total == pytest.approx(1.0, abs=TOLERANCE)
    assert call_starts(REACH) == pytest.approx(starts, abs=TOLERANCE)
    assert expected_calls(REACH) == pytest.approx(calls, abs=TOLERANCE)


def test_every_token_is_emitted_by_one_call() -> None:
    starts = call_starts(REACH)
    for token in range(TOKENS):
        emitted = sum(starts[token - n] * REACH[token - n, n] for n in range(min(LENGTH, token) + 1))
        assert emitted == pytest.approx(1.0, abs=TOLERANCE)


@pytest.mark.parametrize("length", [1, 2, LENGTH])
def test_fewer_drafts_use_the_first_columns(length: int) -> None:
    starts = call_starts(REACH[:, : length + 1])
    assert tokens_and_calls(REACH, length) == pytest.approx((TOKENS, starts.sum()), abs=TOLERANCE)
    counted = TOKENS - LENGTH + 1
    yields = REACH[:counted, : length + 1].sum(axis=1)
    known = starts[:counted] @ yields, starts[:counted].sum()
    assert tokens_and_calls(REACH, length, counted) == pytest.approx(known, abs=TOLERANCE)


def test_calls_that_always_or_never_succeed() -> None:
    assert call_starts(by_depth(np.ones(7), 2)).tolist() == [1.0, 0.0, 0.0] * 2 + [1.0]
    assert expected_calls(by_depth(np.zeros(7), 2)) == 7.0
    assert tokens_and_calls(by_depth(np.ones(7), 2), 2, starts=6) == (6.0, 2.0)
    assert tokens_and_calls(by_depth(np.ones(7), 2), 2, starts=0) == (0.0, 0.0)


def test_a_text_shorter_than_a_call_is_one_call_or_more() -> None:
    reach = token_by_token([-1.0, -2.0], [-2.0, -1.0], 5)
    assert expected_calls(reach) == pytest.approx(1.0, abs=TOLERANCE)
    assert tokens_and_calls(reach, 5) == pytest.approx((2.0, 1.0), abs=TOLERANCE)


@pytest.mark.parametrize(
    ("reach", "message"),
    [
        ([[1.0]], r"^reach has shape \(1, 1\)"),
        ([1.0, 0.5], r"^reach has shape \(2,\)"),
        (np.zeros((0, 2)), r"^reach has shape \(0, 2\)"),
        ([[1.0, 0.5], [0.5, 0.5]], r"^reach\[1, 0\] is 0.5: every call accepts at least 0 drafts"),
        ([[1.0, np.nan]], r"^reach\[0, 1\] is nan"),
        ([[1.0, -0.5]], r"^reach\[0, 1\] is -0.5"),
        ([[1.0, 0.5, 0.75]], r"^reach\[0, 2\] is 0.75 after 0.5: .* never rise"),
    ],
)
def test_what_is_no_reach_weight_is_refused(reach: Any, message: str) -> None:
    for function in (call_starts, expected_calls, lambda found: tokens_and_calls(found, 1)):
        with pytest.raises(InvalidInput, match=message):
            function(reach)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LENGTH + 1,), "^length is 4 and reach has weights for 3 drafts a call"),
        ((0,), "^length is 0"),
        ((LENGTH, -1), "^starts is -1"),
        ((LENGTH, TOKENS), "^starts is 8: a call of 3 drafts .* looks past a cut"),
    ],
)
def test_what_is_not_counted_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        tokens_and_calls(REACH, *arguments)
