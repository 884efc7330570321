"""A person's own table in one call: a line for each value, bands, our looks where they are ours, one-line mistakes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from specproof.figures import draw_lines
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers import LOOKS

TABLE = pd.DataFrame(
    {"k": [2, 1, 1, 2], "share": [0.8, 0.6, 0.5, 0.7], "rule": ["kseq", "kseq", "mine", "mine"]}
).assign(low=lambda table: table["share"] - 0.1, high=lambda table: table["share"] + 0.1)


def test_lines_are_told_apart_and_run_from_left_to_right() -> None:
    (axes,) = draw_lines(TABLE, "k", "share", by="rule", low="low", high="high", title="Shares").axes
    ours, mine = axes.lines
    assert (ours.get_label(), ours.get_color()) == (LOOKS["kseq"].label, LOOKS["kseq"].colour)
    assert mine.get_label() == "mine"
    assert [list(line.get_xdata()) for line in (ours, mine)] == [[1, 2], [1, 2]]
    assert list(ours.get_ydata()) == [0.6, 0.8]
    assert len(axes.collections) == 2
    assert axes.get_title(loc="left") == "Shares"


def test_one_line_needs_no_legend() -> None:
    (axes,) = draw_lines(TABLE[:2], "k", "share").axes
    assert axes.get_legend() is None


@pytest.mark.parametrize(
    ("table", "asked", "message"),
    [
        (TABLE, {"y": "absent"}, "table has no column 'absent': it has k, share, rule, low, high"),
        (TABLE[:0], {}, "table has no row"),
        (TABLE, {"low": "low"}, "give both or none"),
    ],
)
def test_mistakes_are_one_line(table: pd.DataFrame, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        draw_lines(table, **{"x": "k", "y": "share", **asked})
