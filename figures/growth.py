"""How the exact work on a row grows with the vocabulary, beside a sort, and with the rows it is done for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.style import BLACK, BLUE, GREEN, ORANGE, PAGE, PURPLE, SKY, VERMILION, legend_below, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_COLOURS = (BLUE, SKY, GREEN, ORANGE, VERMILION, PURPLE, BLACK)


def draw(sizes: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    """Draw tables of columns work, tokens and sorts, and of columns work, rows and seconds."""
    figure = new_figure(PAGE, 4.2)
    left, right = figure.subplots(1, 2)
    colours = dict(zip(sizes["work"].unique(), _COLOURS, strict=False))
    for work, table in sizes.groupby("work", sort=False):
        left.plot(table["tokens"], table["sorts"], "o-", markersize=4, color=colours[work], label=work)
    left.axhline(1.0, color=BLACK, linestyle=":")
    for work, table in rows.groupby("work", sort=False):
        right.plot(table["rows"], 1e3 * table["seconds"], "s-", markersize=4, color=colours[work], label=work)
    left.set_yscale("log")
    left.set_xlabel("vocabulary V")
    left.set_ylabel("sorts of q/p at this V")
    left.set_title("One row")
    right.set_ylim(bottom=0.0)
    right.set_xlabel("rows in a call")
    right.set_ylabel("milliseconds a row, all cores")
    right.set_title("Stacks of rows")
    for axes in (left, right):
        axes.set_xscale("log")
        legend_below(axes)
    return figure
