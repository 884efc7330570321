"""Empirical mean rejections converging to Theorem 1 (after Yin et al. 2024, the simulation figure, left panel)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLUE, VERMILION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

WINDOW = 2.0
"""Rejections shown above and below the exact value; the intervals of the first few hundred runs reach beyond."""


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``convergence`` table: columns runs, mean, low, high, level, exact, states, horizon."""
    figure = new_figure()
    axes = figure.add_subplot()
    first = table.iloc[0]
    interval = f"{1 - first['level']:.0%} interval (empirical Bernstein)"
    axes.fill_between(table["runs"], table["low"], table["high"], color=BLUE, alpha=0.2, linewidth=0, label=interval)
    axes.plot(table["runs"], table["mean"], color=BLUE, marker="o", markersize=3, label="mean of the first N runs")
    axes.axhline(first["exact"], color=VERMILION, linestyle="--", label=f"Theorem 1: {first['exact']:.4f}")
    axes.set_ylim(first["exact"] - WINDOW, first["exact"] + WINDOW)
    axes.set_xscale("log")
    axes.set_xlim(table["runs"].min(), table["runs"].max())
    axes.set_xlabel("number of simulated runs N")
    axes.set_ylabel(f"rejections in T = {first['horizon']:.0f} positions")
    axes.set_title(f"Non-stationary chain with {first['states']:.0f} states")
    axes.legend(loc="upper right")
    return figure


SPEC = FigureSpec(
    "figure.rejections",
    "after Yin et al. 2024, the simulation figure, left panel",
    "Mean rejections over N simulated runs converge to Theorem 1 on a non-stationary chain.",
    "yin2024.theorem1",
    ("convergence",),
    draw,
)
