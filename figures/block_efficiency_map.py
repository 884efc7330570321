"""Block efficiency over all numbers and lengths of draft sequences: one map for each verifier of several drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures.style import new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_PANELS = 2
"""Maps side by side."""


def draw(efficiency: pd.DataFrame) -> Figure:
    """Draw the ``efficiency`` table: columns label, drafts, length and exact, on one colour scale."""
    labels = list(efficiency["label"].unique())
    rows = -(-len(labels) // _PANELS)
    figure = new_figure(width=9.6, height=0.6 + 3.6 * rows)
    panels = figure.subplots(rows, _PANELS, squeeze=False).ravel()
    low, high = efficiency["exact"].min(), efficiency["exact"].max()
    for axes, label in zip(panels, labels, strict=False):
        table = efficiency[efficiency["label"] == label].pivot(index="drafts", columns="length", values="exact")
        counts, lengths = table.index, table.columns
        edges = (lengths[0] - 0.5, lengths[-1] + 0.5, counts[0] - 0.5, counts[-1] + 0.5)
        image = axes.imshow(
            table, origin="lower", extent=edges, aspect="auto", vmin=low, vmax=high, cmap="viridis", label=label
        )
        for count in counts:
            for length in lengths:
                value = table.loc[count, length]
                ink = "white" if value < (low + high) / 2 else "black"
                axes.text(length, count, f"{value:.2f}", color=ink, fontsize=7.5, ha="center", va="center")
        axes.set_xticks(lengths)
        axes.set_yticks(counts)
        axes.grid(visible=False)
        axes.set_xlabel("length of the draft sequences L")
        axes.set_ylabel("draft sequences K")
        axes.set_title(label)
    for axes in panels[len(labels) :]:
        axes.remove()
    figure.colorbar(image, ax=panels[: len(labels)], label="tokens per target call")
    return figure
