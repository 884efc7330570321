"""Decoding-OPT and Decoding-UNO on a pair of language models (after Yin et al. 2024, Table 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, BLUE, GREEN, PAGE, VERMILION, legend_below, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_QUANTITIES = {
    "bias of UNO": ("bias of UNO", VERMILION, "^", "-"),
    "bias of OPT": ("bias of OPT", BLUE, "o", "--"),
    "rejection": ("rejection R, of both", GREEN, "s", "-"),
    "TV": ("TV = R + bias of OPT", BLACK, "", ":"),
}


def draw(trade_off: pd.DataFrame, win_rate: pd.DataFrame) -> Figure:
    """Draw the ``trade_off`` and ``win_rate`` tables side by side: columns epsilon, mean, low, high, level, ..."""
    figure = new_figure(PAGE, 4.2)
    first = win_rate.iloc[0]
    # A line of its own, as names of models may be long.
    figure.suptitle(f"Pair {first['pair']}, judged by {first['scorer']}", fontsize=10)
    left, right = figure.subplots(1, 2)
    _trade(left, trade_off)
    _win(right, win_rate, trade_off)
    return figure


SPEC = FigureSpec(
    "figure.opt-uno",
    "after Yin et al. 2024, Table 1, on a pair of language models",
    "Bias and rejection of OPT and UNO against the threshold, exact at each position, and OPT's win rate.",
    "yin2024.opt-uno",
    ("trade_off", "win_rate"),
    draw,
)


def _trade(axes: Axes, table: pd.DataFrame) -> None:
    for quantity, (label, colour, marker, style) in _QUANTITIES.items():
        _curve(axes, table[table["quantity"] == quantity], label, colour, marker, style)
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel("per position, exact in each context")
    first = table.iloc[0]
    axes.set_title(f"{first['prompts']} prompts, {1 - first['level']:.0%} intervals over prompts")
    legend_below(axes)


def _win(axes: Axes, table: pd.DataFrame, trade_off: pd.DataFrame) -> None:
    first = table.iloc[0]
    _curve(axes, table, "OPT against UNO", BLUE, "o", "-")
    axes.axhline(first["even"], color=BLACK, linestyle=":", label="equally good")
    axes.set_ylim(0.0, 1.0)
    rejection = trade_off[trade_off["quantity"] == "rejection"]
    for epsilon in rejection[rejection["mean"] == 0.0]["epsilon"]:
        note = "R = 0: one rule,\nand the rest is noise"
        axes.annotate(note, (epsilon, 0.97), ha="right", va="top", fontsize=8.5, color="0.3")
    axes.set_ylabel("win rate of OPT over UNO")
    axes.set_title(f"{table['comparisons'].sum()} comparisons, ties count half")
    legend_below(axes)


def _curve(axes: Axes, table: pd.DataFrame, label: str, colour: str, marker: str, style: str) -> None:
    rows = table.sort_values("epsilon")
    axes.fill_between(rows["epsilon"], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0)
    axes.plot(rows["epsilon"], rows["mean"], color=colour, marker=marker, markersize=4, linestyle=style, label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(rows["epsilon"], [f"{epsilon:g}" for epsilon in rows["epsilon"]])
    axes.minorticks_off()
    axes.set_xlabel(r"over-acceptance $\epsilon$")
