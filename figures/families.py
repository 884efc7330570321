"""Acceptance against the number of drafts on one pair of each of several families of laws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import PAGE, new_figure
from specproof.theory.verifiers import LOOKS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_LINES = {
    "optimal_distinct": ":",
    "recursive_distinct": "-",
    "optimal": ":",
    "kseq": "-",
    "recursive": "--",
    "single": "-",
}
"""In the order of the legend. Rules may reach their optimum, so optima are dotted and on top, in open markers."""


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``families`` table: columns family, rule, num_drafts, acceptance; one panel for each family."""
    figure = new_figure(PAGE, 6.8)
    families = table["family"].unique()
    panels = figure.subplots(2, (len(families) + 1) // 2, sharex=True).flat
    for axes, family in zip(panels, families, strict=True):
        rows = table[table["family"] == family]
        for rule, line in _LINES.items():
            label, colour, marker = LOOKS[rule]
            optimum = line == ":"
            part = rows[rows["rule"] == rule].sort_values("num_drafts")
            axes.plot(
                part["num_drafts"],
                part["acceptance"],
                color=colour,
                linestyle=line,
                marker=marker,
                markersize=7.5 if optimum else 4.5,
                markerfacecolor="none" if optimum else colour,
                zorder=3 if optimum else 2,
                label=label,
            )
        axes.set_title(family)
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("number of drafts k")
        axes.set_ylabel("probability of acceptance")
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


SPEC = FigureSpec(
    "figure.acceptance-synthetic",
    "Sun et al. 2023, section 3, on families of laws",
    "Acceptance of every rule against the number of drafts: two tokens, uniform, Zipf and Dirichlet laws.",
    "spectr2023.concavity",
    ("families",),
    draw,
)
