"""Acceptance against the number of drafts on one pair of each of several families of laws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_RULES = {
    "optimal_distinct": ("optimum, distinct drafts", BLACK, ":", ""),
    "recursive_distinct": ("recursive, distinct drafts", ORANGE, "--", "v"),
    "optimal": ("optimum, independent drafts", GREEN, "-", "s"),
    "kseq": ("K-SEQ", BLUE, "-", "o"),
    "recursive": ("recursive", PURPLE, "--", "d"),
    "single": ("one draft", VERMILION, "-", "^"),
}


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``families`` table: columns family, rule, num_drafts, acceptance; one panel for each family."""
    figure = new_figure(width=8.6, height=7.0)
    families = table["family"].unique()
    panels = figure.subplots(2, (len(families) + 1) // 2, sharex=True).flat
    for axes, family in zip(panels, families, strict=True):
        rows = table[table["family"] == family]
        for rule, (label, colour, line, marker) in _RULES.items():
            part = rows[rows["rule"] == rule].sort_values("num_drafts")
            axes.plot(
                part["num_drafts"],
                part["acceptance"],
                color=colour,
                linestyle=line,
                marker=marker,
                markersize=4.5,
                label=label,
            )
        axes.set_title(family)
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("number of drafts k")
        axes.set_ylabel("probability of acceptance")
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
