"""What a batch of drafts saves at one position (after Yin et al. 2024, the batch improvement figure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLUE, GREEN, PAGE, VERMILION, intervals, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw(table: pd.DataFrame, simulated: pd.DataFrame) -> Figure:
    """Draw the ``improvement`` table: columns pair, drafts, saving, closed_form; one panel for each family.

    By its lines stand ``simulated`` frequencies with intervals: columns pair, drafts, saving, low, high, level, trials.
    """
    from matplotlib.lines import Line2D

    figure = new_figure(PAGE, 3.8)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, family in zip(panels, ("Bernoulli", "uniform"), strict=True):
        members = table[table["pair"].str.startswith(family)]
        for (pair, rows), colour in zip(members.groupby("pair", sort=False), (BLUE, GREEN, VERMILION), strict=False):
            axes.plot(rows["drafts"], rows["closed_form"], color=colour, linewidth=1.2, label=pair)
            axes.plot(rows["drafts"], rows["saving"], color=colour, linestyle="", marker="_", markersize=8)
            seen = simulated[simulated["pair"] == pair]
            intervals(axes, seen["drafts"], seen, colour)
            axes.plot(seen["drafts"], seen["saving"], color=colour, linestyle="", marker="o", markersize=4)
        axes.set_xlabel("number of drafts M")
        axes.set_title(f"{family.capitalize()} pairs")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="lower right")
    trials, level = simulated["trials"].iloc[0], simulated["level"].iloc[0]
    kinds = [
        Line2D([], [], color="grey", label="closed form"),
        Line2D([], [], color="grey", linestyle="", marker="_", markersize=8, label="exact"),
        Line2D(
            [],
            [],
            color="grey",
            linestyle="",
            marker="o",
            markersize=4,
            label=f"{trials:,.0f} trials, {1 - level:.0%} interval",
        ),
    ]
    figure.legend(handles=kinds, loc="outside lower center", ncols=len(kinds))
    panels[0].set_ylabel("saved probability of rejection\n" r"TV $-\;\prod_m$ TV$(q^m, p)$")
    return figure


SPEC = FigureSpec(
    "figure.batch-improvement",
    "after Yin et al. 2024, the batch improvement figure",
    "What a batch of M drafts saves at one position, for Bernoulli and uniform pairs, with the closed forms.",
    "yin2024.theorem3",
    ("improvement", "improvement_simulated"),
    draw,
)
