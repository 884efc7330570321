"""Block efficiency and acceptance over all numbers and lengths of draft sequences: two maps for each verifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures.style import new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_SHOWN = (("exact", "tokens per target call", "viridis"), ("accepted", "accepted share of the L tokens", "cividis"))
"""Column, name and colours of each row of maps."""


def draw(efficiency: pd.DataFrame) -> Figure:
    """Draw the ``efficiency`` table, columns label, drafts, length, exact and accepted: a column for each verifier."""
    labels = list(efficiency["label"].unique())
    figure = new_figure(width=3.6 * len(labels), height=7.4)
    panels = figure.subplots(len(_SHOWN), len(labels), squeeze=False, sharex=True, sharey=True)
    for row, (column, name, colours) in zip(panels, _SHOWN, strict=True):
        low, high = efficiency[column].min(), efficiency[column].max()
        for axes, label in zip(row, labels, strict=True):
            rows = efficiency[efficiency["label"] == label]
            table = rows.pivot(index="drafts", columns="length", values=column)
            image = _map(axes, table, low, high, colours)
            axes.set_title(label)
        figure.colorbar(image, ax=row, label=name)
    for axes in panels[-1]:
        axes.set_xlabel("length of the draft sequences L")
    for axes in panels[:, 0]:
        axes.set_ylabel("draft sequences K")
    return figure


def _map(axes: Axes, table: pd.DataFrame, low: float, high: float, colours: str) -> AxesImage:
    counts, lengths = table.index, table.columns
    edges = (lengths[0] - 0.5, lengths[-1] + 0.5, counts[0] - 0.5, counts[-1] + 0.5)
    image = axes.imshow(table, origin="lower", extent=edges, aspect="auto", vmin=low, vmax=high, cmap=colours)
    for count in counts:
        for length in lengths:
            value = table.loc[count, length]
            ink = "white" if value < (low + high) / 2 else "black"
            axes.text(length, count, f"{value:.2f}", color=ink, fontsize=7.5, ha="center", va="center")
    axes.set_xticks(lengths)
    axes.set_yticks(counts)
    axes.grid(visible=False)
    return image
