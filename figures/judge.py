"""Every rule for drafted trees by its share of the block optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import PAGE, new_figure
from specproof.theory.trees.rules import TREE_VERIFIERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_KINDS = {
    "mean": ("random pairs, mean", "o"),
    "structured": ("structured pairs, mean", "s"),
    "least": ("least that was found", "<"),
}
"""What is drawn of each rule."""


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``share_of_block_optimum`` table: a line for each rule, the one with the greatest mean share on top."""
    figure = new_figure(PAGE, 1.2 + 0.26 * len(table))
    axes = figure.subplots()
    ends = ["mean", "structured", "least"]
    for _, row in table.iterrows():
        colour, height = TREE_VERIFIERS[row["verifier"]].colour, row["rank"]
        axes.plot([row[ends].min(), row[ends].max()], [height, height], color=colour, linewidth=1.0, alpha=0.5)
        for column, (_, marker) in _KINDS.items():
            axes.plot([row[column]], [height], color=colour, marker=marker, markersize=5, zorder=3)
    for label, marker in _KINDS.values():
        axes.plot([], [], color="#555555", marker=marker, markersize=5, linestyle="none", label=label)
    axes.axvline(1.0, color="black", linewidth=0.8, linestyle=":")
    names = [row["label"] if row["is_lossless"] else f"{row['label']} (not lossless)" for _, row in table.iterrows()]
    axes.set_yticks(table["rank"], names)
    axes.set_ylabel("rule")
    axes.invert_yaxis()
    axes.set_xlabel("accepted drafts, as a share of the block optimum of the same trees")
    figure.legend(loc="outside lower center", ncols=len(_KINDS))
    return figure


SPEC = FigureSpec(
    "figure.judge",
    "Every source of TREE_VERIFIERS, against the block optimum",
    "The share of the block optimum that each rule for drafted trees accepts, on average and at worst.",
    "judge.share-of-block-optimum",
    ("share_of_block_optimum",),
    draw,
)
