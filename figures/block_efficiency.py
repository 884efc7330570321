"""Block efficiency against the number of draft sequences and their length: exact lines, simulated points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = (VERMILION, BLUE, ORANGE, GREEN, PURPLE, SKY)
"""By verifier, in the order of the tables."""


def draw(efficiency: pd.DataFrame, simulated: pd.DataFrame) -> Figure:
    """Draw the ``efficiency`` (exact) and ``simulated`` (mean, low, high) tables, against K and against L."""
    figure = new_figure(width=9.6, height=4.6)
    left, right = figure.subplots(1, 2, sharey=True)
    length, count = int(simulated["length"].max()), int(simulated["drafts"].max())
    _panel(left, efficiency[efficiency["length"] == length], simulated[simulated["length"] == length], "drafts")
    _panel(right, efficiency[efficiency["drafts"] == count], simulated[simulated["drafts"] == count], "length")
    left.set_xlabel("number of draft sequences K")
    left.set_ylabel("tokens per target call")
    left.set_title(f"L = {length} tokens each")
    right.set_xlabel("length of the draft sequences L")
    right.set_title(f"K = {count}, chain with {simulated['states'].iloc[0]:.0f} states")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _panel(axes: Axes, exact: pd.DataFrame, simulated: pd.DataFrame, across: str) -> None:
    for colour, (label, rows) in zip(_COLOURS, exact.groupby("label", sort=False), strict=False):
        axes.plot(rows[across], rows["exact"], color=colour, label=label)
        points = simulated[simulated["label"] == label]
        for place, low, high in zip(points[across], points["low"], points["high"], strict=True):
            axes.plot([place, place], [low, high], color=BLACK, linewidth=1.0)
        axes.plot(points[across], points["mean"], color=colour, linestyle="none", marker="o", markersize=5)
    first = simulated.iloc[0]
    axes.plot(
        [],
        [],
        color=BLACK,
        linewidth=1.0,
        marker="o",
        markersize=5,
        label=f"{first['trials']:,} simulated calls, {1 - first['level']:.0%} intervals",
    )
    axes.set_xlim(left=0)
    axes.set_xticks(sorted(exact[across].unique()))
