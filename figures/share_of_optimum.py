"""The share of the optimum that each rule for several drafts accepts on real logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures.style import BLUE, GREEN, PURPLE, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RULES = {"priority": (GREEN, "s"), "kseq": (BLUE, "o"), "recursive": (PURPLE, "d")}
"""One draft is far below, and would leave no room to tell these apart."""


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``shares`` table: a row of panels for each draft, a column for each temperature."""
    pairs, temperatures = (table[name].unique() for name in ("pair", "temperature"))
    figure = new_figure(width=9.6, height=0.9 + 2.3 * len(pairs))
    panels = figure.subplots(len(pairs), len(temperatures), sharex=True, sharey=True, squeeze=False)
    for pair, row in zip(pairs, panels, strict=True):
        for temperature, axes in zip(temperatures, row, strict=True):
            _panel(axes, table[(table["pair"] == pair) & (table["temperature"] == temperature)])
            axes.set_title(f"draft {pair}, temperature {temperature:g}", fontsize=9.5)
        row[0].set_ylabel("share of the optimum")
    for axes in panels[-1]:
        axes.set_xlabel("number of drafts k")
    first = table.iloc[0]
    sizes, confidence = f"{first['positions']} positions of {first['prompts']} prompts", f"{1 - first['level']:.0%}"
    figure.suptitle(f"{sizes}, {confidence} intervals over prompts", fontsize=9.5)
    # A legend is filled column by column: a rule each.
    labelled = sorted(zip(*panels[0, 0].get_legend_handles_labels(), strict=True), key=lambda item: item[1])
    figure.legend(*zip(*labelled, strict=True), loc="outside lower center", ncols=len(_RULES))
    return figure


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    for top, rows in table.groupby("top"):
        for rule, (colour, marker) in _RULES.items():
            curve = rows[rows["verifier"] == rule].sort_values("num_drafts")
            label = f"{curve['label'].iloc[0]}, {f'top {top}' if top else 'whole vocabulary'}"
            style, face = ("--", "white") if top else ("-", colour)
            axes.fill_between(curve["num_drafts"], curve["low"], curve["high"], color=colour, alpha=0.12, linewidth=0)
            axes.plot(
                curve["num_drafts"],
                curve["mean"],
                color=colour,
                marker=marker,
                markersize=4.5,
                markerfacecolor=face,
                linestyle=style,
                label=label,
            )
    counts = sorted(table["num_drafts"].unique())
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
