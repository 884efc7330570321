"""The share of the optimum that each rule for several drafts accepts on real logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import PAGE, by_rule, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``shares`` table: a row of panels for each draft, a column for each temperature."""
    pairs, temperatures = (table[name].unique() for name in ("pair", "temperature"))
    figure = new_figure(PAGE, 1.0 + 2.2 * len(pairs))
    panels = figure.subplots(len(pairs), len(temperatures), sharex=True, sharey=True, squeeze=False)
    for pair, row in zip(pairs, panels, strict=True):
        for temperature, axes in zip(temperatures, row, strict=True):
            _panel(axes, table[(table["pair"] == pair) & (table["temperature"] == temperature)])
        row[0].set_ylabel(f"draft {pair}\nshare of the optimum")
    for temperature, axes in zip(temperatures, panels[0], strict=True):
        axes.set_title(f"temperature {temperature:g}")
    for axes in panels[-1]:
        axes.set_xlabel("number of drafts k")
    first = table.iloc[0]
    sizes, confidence = f"{first['positions']} positions of {first['prompts']} prompts", f"{1 - first['level']:.0%}"
    figure.suptitle(f"{sizes}, {confidence} intervals over prompts", fontsize=10)
    # A legend is filled column by column: a rule each.
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels) // table["top"].nunique())
    return figure


SPEC = FigureSpec(
    "figure.share-of-optimum",
    "docs/priority-coupling.md, on pairs of language models",
    "The share of the optimum that the rules for several drafts accept, by draft, temperature and cut.",
    "priority.gain",
    ("shares",),
    draw,
)


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    """Draw each rule; one draft is far below, and is left out to tell the others apart."""
    for (name, colour, marker), curves in by_rule(table[table["verifier"] != "single"], "mean"):
        for top, curve in curves.groupby("top"):
            curve = curve.sort_values("num_drafts")
            # Where a cut changes nothing, the open markers are around the filled ones.
            axes.fill_between(curve["num_drafts"], curve["low"], curve["high"], color=colour, alpha=0.12, linewidth=0)
            axes.plot(
                curve["num_drafts"],
                curve["mean"],
                color=colour,
                marker=marker,
                markersize=7.5 if top else 3.5,
                markerfacecolor="none" if top else colour,
                linestyle="--" if top else "-",
                label=f"{name}, {f'top {top}' if top else 'whole vocabulary'}",
            )
    counts = sorted(table["num_drafts"].unique())
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
