"""Tokens per target call of every rule for drafted trees with two models, and what each gains on one draft, paired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, PAGE, new_figure
from specproof.theory.trees.rules import TREE_VERIFIERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``trees`` table at its first size: a row for each rule, the one with the most tokens per call on top."""
    first = table.iloc[0]
    rows = table[(table["num_drafts"] == first["num_drafts"]) & (table["length"] == first["length"])]
    figure = new_figure(PAGE, 1.2 + 0.26 * len(rows))
    left, right = figure.subplots(1, 2, sharey=True)
    _bars(left, rows, "mean", "low", "high")
    _bars(right, rows, "gain", "gain_low", "gain_high")
    right.axvline(0.0, color=BLACK, linewidth=0.8, linestyle=":", label="as many as one draft")
    names = [row["label"] if row["is_lossless"] else f"{row['label']} (not lossless)" for _, row in rows.iterrows()]
    left.set_yticks(rows["rank"], names)
    left.set_ylabel("rule")
    left.invert_yaxis()
    left.set_xlabel("tokens per target call")
    right.set_xlabel("more than one draft, paired")
    left.set_title(f"{first['trees']} trees, K = {first['num_drafts']}, L = {first['length']}")
    right.set_title(f"{1 - first['level']:.0%} intervals over {first['prompts']} prompts")
    right.plot([], [], color=BLACK, linewidth=1.4, marker="o", markersize=5, label="mean and interval over prompts")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


SPEC = FigureSpec(
    "figure.real-trees",
    "Every source of TREE_VERIFIERS, on a pair of language models",
    "Tokens per target call of every rule for drafted trees, and what it gains on one draft, paired.",
    "real.trees",
    ("trees",),
    draw,
)


def _bars(axes: Axes, rows: pd.DataFrame, middle: str, low: str, high: str) -> None:
    for _, row in rows.iterrows():
        rule = TREE_VERIFIERS[row["verifier"]]
        axes.plot([row[low], row[high]], [row["rank"]] * 2, color=rule.colour, linewidth=1.4)
        axes.plot([row[middle]], [row["rank"]], color=rule.colour, marker=rule.marker, markersize=5, zorder=3)
