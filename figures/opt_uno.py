"""Decoding-OPT and Decoding-UNO on a pair of language models (after Yin et al. 2024, Table 1)."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, BLUE, GREEN, PAGE, VERMILION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = 32
"""Characters that fit over a panel."""

_QUANTITIES = {
    "bias of UNO": ("bias of UNO", VERMILION, "^", "-"),
    "bias of OPT": ("bias of OPT", BLUE, "o", "--"),
    "rejection": ("rejection R, of both", GREEN, "s", "-"),
    "TV": ("TV = R + bias of OPT", BLACK, "", ":"),
}

_COMPARED = {
    "coupled texts": ("texts that share their draws", GREEN, "s", ":"),
    "independent texts": ("independent texts", BLUE, "o", "-"),
    "next token, exact": ("the next token, exact", VERMILION, "^", "--"),
}


def draw(trade_off: pd.DataFrame, win_rate: pd.DataFrame) -> Figure:
    """Draw the ``trade_off`` and ``win_rate`` tables side by side: columns epsilon, mean, low, high, level, ..."""
    judges = list(dict.fromkeys(win_rate["judge"]))
    figure = new_figure(PAGE, 4.6)
    # A line of its own, as names of models may be long.
    figure.suptitle(f"Pair {win_rate['pair'].iloc[0]}", fontsize=10)
    left, *others = figure.subplots(1, 1 + len(judges))
    _trade(left, trade_off)
    for axes in others[1:]:
        axes.sharey(others[0])
        axes.tick_params(labelleft=False)
    reach = max(win_rate["high"].max() - 0.5, 0.5 - win_rate["low"].min(), 0.01)
    for axes, judge in zip(others, judges, strict=True):
        _win(axes, win_rate[win_rate["judge"] == judge], judge)
        axes.set_ylim(0.5 - 1.08 * reach, 0.5 + 1.08 * reach)
    others[0].set_ylabel("win rate of OPT over UNO")
    return figure


SPEC = FigureSpec(
    "figure.opt-uno",
    "after Yin et al. 2024, Table 1, on a pair of language models",
    "Bias and rejection of OPT and UNO against the threshold, exact at each position; OPT's win rate by each judge.",
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
    axes.set_title(f"{first['prompts']} prompts, {1 - first['level']:.0%} intervals", fontsize=9)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.16))


def _win(axes: Axes, table: pd.DataFrame, judge: str) -> None:
    for compared, (label, colour, marker, style) in _COMPARED.items():
        rows = table[table["compared"] == compared]
        if len(rows):
            _curve(axes, rows, label, colour, marker, style)
    axes.axhline(table["even"].iloc[0], color=BLACK, linewidth=0.8, label="equally good")
    axes.set_title(textwrap.fill(f"judged by {judge}", TITLE), fontsize=9)  # names of reward models may be long
    axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.16))


def _curve(axes: Axes, table: pd.DataFrame, label: str, colour: str, marker: str, style: str) -> None:
    rows = table.sort_values("epsilon")
    axes.fill_between(rows["epsilon"], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0)
    axes.plot(rows["epsilon"], rows["mean"], color=colour, marker=marker, markersize=4, linestyle=style, label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(rows["epsilon"], [f"{epsilon:g}" for epsilon in rows["epsilon"]])
    axes.minorticks_off()
    axes.set_xlabel(r"over-acceptance $\epsilon$")
