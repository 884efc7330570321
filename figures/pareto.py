"""Rejection against bias (after Yin et al. 2024, the Pareto figure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, BLUE, VERMILION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw(table: pd.DataFrame, simulated: pd.DataFrame) -> Figure:
    """Draw the ``sweep`` table: columns rule, epsilon, rejection, bias, tv, tokens.

    On it stand ``simulated`` frequencies of rejection with intervals, at the exact bias of their rule.
    """
    figure = new_figure(height=4.4)
    axes = figure.add_subplot()
    distance = float(table["tv"].iloc[0])
    axes.fill_between([0.0, distance], [distance, 0.0], color="0.85", linewidth=0, label="unattainable")
    # Above the markers, which lie on it.
    axes.plot([0.0, distance], [distance, 0.0], color=BLACK, linewidth=1.2, zorder=4, label="rejection + bias = TV")
    for rule, colour, marker, label in (
        ("opt", BLUE, "o", "OPT"),
        ("uno", VERMILION, "^", "UNO"),
    ):
        rows = table[table["rule"] == rule]
        axes.plot(rows["rejection"], rows["bias"], color=colour, linestyle="", marker=marker, markersize=4, label=label)
        seen = simulated[simulated["rule"] == rule]
        axes.hlines(seen["bias"], seen["low"], seen["high"], color=colour, linewidth=2, zorder=5)
        axes.plot(seen["rejection"], seen["bias"], color=colour, marker="|", markersize=14, linestyle="", zorder=5)
    trials, level = simulated["trials"].iloc[0], simulated["level"].iloc[0]
    axes.plot(
        [],
        [],
        color="grey",
        linestyle="",
        marker="|",
        markersize=14,
        label=f"{trials:,.0f} trials, {1 - level:.0%} interval",
    )
    axes.set_xlim(left=0.0)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("probability of rejection R")
    axes.set_ylabel("bias TV(A, q) of the output law A")
    axes.set_title(rf"Threshold $\epsilon$ from 0 to 1, {table['tokens'].iloc[0]:.0f} tokens, TV = {distance:.3f}")
    axes.legend(loc="upper right")
    return figure


SPEC = FigureSpec(
    "figure.pareto",
    "after Yin et al. 2024, the Pareto figure",
    "Rejection against bias: the line, what nothing reaches, and OPT and UNO swept over the threshold.",
    "yin2024.theorem5",
    ("sweep", "simulated"),
    draw,
)
