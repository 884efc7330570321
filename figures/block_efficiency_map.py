"""Block efficiency and acceptance over all numbers and lengths of draft sequences: two maps for each verifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import ON_DARK, ON_LIGHT, by_rule, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_SHOWN = (("exact", "tokens per target call", "viridis"), ("accepted", "accepted share of the L tokens", "cividis"))
"""Column, name and colours of each column of maps."""


def draw(efficiency: pd.DataFrame) -> Figure:
    """Draw the ``efficiency`` table, columns verifier, drafts, length, exact and accepted: a row for each verifier."""
    verifiers = list(by_rule(efficiency, "exact"))
    figure = new_figure(7.4, 0.9 + 2.3 * len(verifiers))
    panels = figure.subplots(len(verifiers), len(_SHOWN), squeeze=False, sharex=True, sharey=True)
    for column, (quantity, name, colours) in zip(panels.T, _SHOWN, strict=True):
        low, high = efficiency[quantity].min(), efficiency[quantity].max()
        for axes, (rule, rows) in zip(column, verifiers, strict=True):
            table = rows.pivot(index="drafts", columns="length", values=quantity)
            image = _map(axes, table, low, high, colours)
            axes.set_title(rule.label)
        column[-1].set_xlabel("length of the draft sequences L")
        figure.colorbar(image, ax=column, label=name, location="bottom", aspect=40, pad=0.01)
    for axes in panels[:, 0]:
        axes.set_ylabel("draft sequences K")
    return figure


SPEC = FigureSpec(
    "figure.block-efficiency-map",
    "Sun et al. 2023, Algorithm 3, on a Markov chain",
    "Exact tokens per target call and accepted share for every number and length of draft sequences, by verifier.",
    "spectr2023.block-efficiency",
    ("efficiency",),
    draw,
)


def _map(axes: Axes, table: pd.DataFrame, low: float, high: float, colours: str) -> AxesImage:
    counts, lengths = table.index, table.columns
    edges = (lengths[0] - 0.5, lengths[-1] + 0.5, counts[0] - 0.5, counts[-1] + 0.5)
    image = axes.imshow(table, origin="lower", extent=edges, aspect="auto", vmin=low, vmax=high, cmap=colours)
    for count in counts:
        for length in lengths:
            value = table.loc[count, length]
            ink = ON_DARK if value < (low + high) / 2 else ON_LIGHT
            axes.text(length, count, f"{value:.2f}", color=ink, fontsize=7, ha="center", va="center")
    axes.set_xticks(lengths)
    axes.set_yticks(counts)
    axes.grid(visible=False)
    return image
