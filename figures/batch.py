"""Batches of drafts: convergence to Theorem 3, and expected rejections against the number of drafts.

After Yin et al. 2024, the middle and right panels of the simulation figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, BLUE, GREEN, ORANGE, PAGE, VERMILION, intervals, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WINDOW = 2.0
"""Rejections shown above the largest and below the smallest exact value; the first intervals reach beyond."""


def draw(convergence: pd.DataFrame, against_drafts: pd.DataFrame, simulated: pd.DataFrame) -> Figure:
    """Draw the ``convergence`` (with a column drafts) and ``against_drafts`` tables, side by side.

    In the second panel ``simulated`` means stand by what is exact.
    """
    figure = new_figure(PAGE)
    left, right = figure.subplots(1, 2)
    _converge(left, convergence)
    _fall(right, against_drafts, simulated)
    return figure


SPEC = FigureSpec(
    "figure.batch",
    "after Yin et al. 2024, the simulation figure, middle and right panels",
    "Mean rejections with batches of 4 and 5 drafts converge to Theorem 3, and fall with M to a limit above 0.",
    "yin2024.theorem3",
    ("convergence", "against_drafts", "against_drafts_simulated"),
    draw,
)


def _converge(axes: Axes, table: pd.DataFrame) -> None:
    colours = (BLUE, GREEN, ORANGE)
    for colour, (drafts, rows) in zip(colours, table.groupby("drafts"), strict=False):
        axes.fill_between(rows["runs"], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0)
        axes.plot(rows["runs"], rows["mean"], color=colour, marker="o", markersize=3, label=f"M = {drafts}, mean")
        exact = rows["exact"].iloc[0]
        axes.axhline(exact, color=VERMILION, linestyle="--", linewidth=1.2)
    axes.plot([], [], color=VERMILION, linestyle="--", label="Theorem 3")
    axes.set_ylim(table["exact"].min() - WINDOW, table["exact"].max() + WINDOW)
    axes.set_xscale("log")
    axes.set_xlim(table["runs"].min(), table["runs"].max())
    axes.set_xlabel("number of simulated runs N")
    axes.set_ylabel(f"rejections in T = {table['horizon'].iloc[0]:.0f} positions")
    axes.set_title(f"M drafts after a rejection, {1 - table['level'].iloc[0]:.0%} intervals")
    axes.legend(loc="upper right", ncols=2)


def _fall(axes: Axes, table: pd.DataFrame, simulated: pd.DataFrame) -> None:
    limit = table["limit"].iloc[0]
    axes.plot(table["drafts"], table["exact"], color=VERMILION, linestyle="--", label="Theorem 3")
    label = f"mean of {simulated['runs'].iloc[0]:,.0f} runs, {1 - simulated['level'].iloc[0]:.0%} interval"
    intervals(axes, simulated["drafts"], simulated, BLUE)
    axes.plot(simulated["drafts"], simulated["mean"], color=BLUE, linestyle="", marker="o", markersize=4, label=label)
    axes.axhline(limit, color=BLACK, linestyle=":", label=f"limit of many drafts: {limit:.3f}")
    axes.set_xlabel("number of drafts M")
    axes.set_ylabel(f"rejections in T = {table['horizon'].iloc[0]:.0f} positions")
    axes.set_title(f"Non-stationary chain with {table['states'].iloc[0]:.0f} states")
    axes.legend(loc="upper right")
