"""Acceptance against the number of drafts on real logits: every rule, and the optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import by_rule, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_ESTIMATED = "recursive_distinct"
"""Its acceptance is estimated, and its curve, which may lie on another one, is dashed."""


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``acceptance`` table: columns rule, num_drafts, mean, low, high, level, prompts, positions, pair."""
    figure = new_figure(height=4.9)
    axes = figure.add_subplot()
    for (name, colour, marker), rows in by_rule(table, "mean", "rule"):
        rows = rows.sort_values("num_drafts")
        estimated = rows["rule"].iloc[0] == _ESTIMATED
        label = f"{name} (sampled)" if estimated else name
        line = "--" if estimated else "-"
        axes.fill_between(rows["num_drafts"], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0)
        axes.plot(rows["num_drafts"], rows["mean"], color=colour, marker=marker, linestyle=line, label=label)
    first = table.iloc[0]
    counts = sorted(table["num_drafts"].unique())
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_ylim(top=1.0)
    axes.set_xlabel("number of drafts k")
    axes.set_ylabel("probability that a draft is accepted")
    axes.set_title(
        f"Draft {first['pair']}: {first['positions']} positions of {first['prompts']} prompts,\n"
        f"{1 - first['level']:.0%} intervals over prompts"
    )
    figure.legend(loc="outside lower center")
    return figure


SPEC = FigureSpec(
    "figure.acceptance",
    "Sun et al. 2023, on a pair of language models",
    "Acceptance of every rule against the number of drafts on real logits, next to the optimum.",
    "real.acceptance",
    ("acceptance",),
    draw,
)
