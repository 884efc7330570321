"""Acceptance against the number of drafts on real logits: every rule, and the optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures.style import BLUE, GREEN, ORANGE, PURPLE, VERMILION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_RULES = {
    "optimal": ("optimum, independent drafts", GREEN, "s", "-"),
    "kseq": ("K-SEQ", BLUE, "o", "-"),
    "distinct": ("recursive, distinct drafts (sampled)", ORANGE, "v", "--"),
    "recursive": ("recursive", PURPLE, "d", "-"),
    "single": ("one draft", VERMILION, "^", "-"),
}
"""Dashed is what may lie on another curve."""


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``acceptance`` table: columns rule, num_drafts, mean, low, high, level, prompts, positions, pair."""
    figure = new_figure()
    axes = figure.add_subplot()
    for rule, (label, colour, marker, style) in _RULES.items():
        rows = table[table["rule"] == rule].sort_values("num_drafts")
        axes.fill_between(rows["num_drafts"], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0)
        axes.plot(rows["num_drafts"], rows["mean"], color=colour, marker=marker, linestyle=style, label=label)
    first = table.iloc[0]
    counts = sorted(table["num_drafts"].unique())
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_ylim(top=1.0)
    axes.set_xlabel("number of drafts k")
    axes.set_ylabel("probability that a draft is accepted")
    axes.set_title(
        f"Draft {first['pair']}: {first['positions']} positions of {first['prompts']} prompts, "
        f"{1 - first['level']:.0%} intervals over prompts",
        fontsize=9.5,
    )
    axes.legend(loc="upper left")
    return figure
