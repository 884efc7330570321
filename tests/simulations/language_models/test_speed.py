"""The table of speeds: predictions against what can be computed by hand, and the whole of it on tiny models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks import speed
from benchmarks.speed import Text, Way, compare, planned, predicted
from specproof.simulations.language_models.clock import Clock
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.language_models.ngram import NGramModel
from specproof.theory.texts import by_depth

CLOCK = Clock({(1, tokens): 1.0 for tokens in (1, 9)}, {1: 0.25}, 0.0)
"""A call takes a second whatever it reads, and a drafted token a quarter of one."""


def text(found: list[bool], looked_up: list[bool]) -> Text:
    nothing = np.zeros(len(found))
    return Text(nothing, nothing, {}, np.array(looked_up), np.array(found))


def way(pair: Any, *, skips: bool) -> Way:
    return Way("", pair, LevelByLevel(), 1, lambda each, n: by_depth(each.found.astype(float), n), 0.0, skips)


def test_a_prediction_is_tokens_over_seconds_of_the_calls_along_the_text(pair: Any) -> None:
    always = [text([True] * 30, [True] * 30)]
    assert predicted(way(pair, skips=False), 4, always, CLOCK) == pytest.approx(5 / 2.0)
    never = [text([False] * 30, [False] * 30)]
    assert predicted(way(pair, skips=False), 4, never, CLOCK) == pytest.approx(1 / 2.0)
    assert predicted(way(pair, skips=True), 4, never, CLOCK) == pytest.approx(1.0)
    # A match after every second token, which holds for one token: two tokens in 2 s, then the next match.
    half = [text([True, False] * 20, [True, False] * 20)]
    assert predicted(way(pair, skips=True), 4, half, CLOCK) == pytest.approx(2 / 2.0)


def test_the_planned_length_is_the_fastest(pair: Any) -> None:
    always, never = ([text([holds] * 30, [True] * 30)] for holds in (True, False))
    assert planned(way(pair, skips=False), always, CLOCK) == (8, pytest.approx(9 / 3.0))
    assert planned(way(pair, skips=False), never, CLOCK) == (1, pytest.approx(1 / 1.25))


def test_the_table_of_a_tiny_pair(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "LONGEST", 2)
    monkeypatch.setattr(speed, "CONTEXT", 8)
    lookup = replace(pair, name="ngram:3", draft=NGramModel(pair.target.vocabulary, "cpu"))
    rows = list(compare(pair, lookup, [[1, 2], [3]], 5))
    assert [row[0] for row in rows] == [
        "target alone", "one draft", "block verification", "K-SEQ, K = 2", "priority coupling, K = 2", "ngram:3",
    ]  # fmt: skip
    assert rows[0][1::2] == ("0", "1.00")
    assert all(int(row[1]) in (1, 2) and min(map(float, row[2:])) > 0 for row in rows[1:])
