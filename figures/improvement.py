"""What a batch of drafts saves at one position (after Yin et al. 2024, the batch improvement figure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures.style import BLUE, GREEN, VERMILION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``improvement`` table: columns pair, drafts, saving, closed_form; one panel for each family."""
    figure = new_figure(width=9.6)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, family in zip(panels, ("Bernoulli", "uniform"), strict=True):
        members = table[table["pair"].str.startswith(family)]
        for (pair, rows), colour in zip(members.groupby("pair", sort=False), (BLUE, GREEN, VERMILION), strict=False):
            axes.plot(rows["drafts"], rows["closed_form"], color=colour, linewidth=1.2)
            axes.plot(rows["drafts"], rows["saving"], color=colour, linestyle="", marker="o", markersize=4, label=pair)
        axes.plot([], [], color="grey", label="closed form")
        axes.set_xlabel("number of drafts M")
        axes.set_title(f"{family.capitalize()} pairs")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="lower right")
    panels[0].set_ylabel(r"saved rejection probability, TV $-\;\prod_m$ TV$(q^m, p)$")
    return figure
