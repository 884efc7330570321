"""Block efficiency against the number of draft sequences and their length: exact lines, simulated points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, PAGE, by_rule, intervals, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(efficiency: pd.DataFrame, simulated: pd.DataFrame) -> Figure:
    """Draw the ``efficiency`` (exact) and ``simulated`` (mean, low, high) tables, against K and against L."""
    figure = new_figure(PAGE, 4.2)
    left, right = figure.subplots(1, 2, sharey=True)
    length, count = int(simulated["length"].max()), int(simulated["drafts"].max())
    _panel(left, efficiency[efficiency["length"] == length], simulated[simulated["length"] == length], "drafts")
    _panel(right, efficiency[efficiency["drafts"] == count], simulated[simulated["drafts"] == count], "length")
    left.set_xlabel("number of draft sequences K")
    left.set_ylabel("tokens per target call")
    left.set_title(f"L = {length}, chain with {simulated['states'].iloc[0]:.0f} states")
    right.set_xlabel("length of the draft sequences L")
    right.set_title(f"K = {count}, the same chain")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


SPEC = FigureSpec(
    "figure.block-efficiency",
    "Sun et al. 2023, Algorithm 3, on a Markov chain",
    "Tokens per target call against the number and the length of draft sequences: exact, and simulated.",
    "spectr2023.block-efficiency",
    ("efficiency", "simulated"),
    draw,
)


def _panel(axes: Axes, exact: pd.DataFrame, simulated: pd.DataFrame, across: str) -> None:
    for (name, colour, _), rows in by_rule(exact, "exact"):
        axes.plot(rows[across], rows["exact"], color=colour, label=f"{name}, exact")
    for (_, colour, marker), points in by_rule(simulated, "mean"):
        axes.plot(points[across], points["mean"], color=colour, linestyle="", marker=marker, markersize=5)
        intervals(axes, points[across], points, BLACK)
    first = simulated.iloc[0]
    label = f"{first['trials']:,} simulated calls, bars: {1 - first['level']:.0%} intervals"
    axes.plot([], [], color="0.6", linestyle="", marker="o", markersize=5, label=label)
    axes.set_xticks(sorted(exact[across].unique()))
