"""Time of a build of the priority coupling against the vocabulary, beside a bare sort, and where it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.style import BLACK, BLUE, GREEN, ORANGE, PAGE, PURPLE, SKY, VERMILION, legend_below, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_WHOLE, _SORT = "whole build", "sort"
_COLOURS = {
    _WHOLE: BLUE,
    _SORT: BLACK,
    "tiling": VERMILION,
    "order": GREEN,
    "input checks": ORANGE,
    "rest": PURPLE,
}
_MARKERS = {2: "o", 8: "s"}


def draw(table: pd.DataFrame) -> Figure:
    """Draw a table of columns tokens, num_drafts, part, ms and ns_per_token."""
    figure = new_figure(PAGE, 4.2)
    left, right = figure.subplots(1, 2)
    counts = sorted(table["num_drafts"].unique())
    for count in counts:
        rows = table[(table["num_drafts"] == count) & (table["part"] == _WHOLE)]
        colour = BLUE if count == counts[-1] else SKY
        left.plot(rows["tokens"], rows["ms"], _MARKERS[count], linestyle="-", color=colour, label=f"build, k = {count}")
    largest = table[table["num_drafts"] == counts[-1]]
    sort = largest[largest["part"] == _SORT]
    left.plot(sort["tokens"], sort["ms"], "^--", color=BLACK, label="numpy.argsort of q/p alone")
    for part, rows in largest.groupby("part", sort=False):
        right.plot(rows["tokens"], rows["ns_per_token"], "s-", markersize=4, color=_COLOURS[part], label=part)
    left.set_yscale("log")
    left.set_ylabel("milliseconds, one core")
    right.set_ylabel("nanoseconds for each token")
    right.set_ylim(bottom=0.0)
    left.set_title("A build beside its sort")
    right.set_title(f"Where the time goes, k = {counts[-1]}")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlabel("vocabulary V")
        legend_below(axes)
    return figure
