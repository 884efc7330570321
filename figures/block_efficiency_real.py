"""Block efficiency of real models by rule, and its ratio to one draft's beside the paper (Sun et al. 2023, Table 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, PAGE, by_rule, intervals, new_figure
from specproof.theory.verifiers import LOOKS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DASHES = {4: "--", 8: "-"}
_SPREAD = 1.025
"""Factor by which verifiers with the same number of drafts stand apart, so that their intervals do not hide."""


def draw(table: pd.DataFrame, paper: pd.DataFrame) -> Figure:
    """Draw the ``block_efficiency`` and ``paper`` tables: tokens per target call, and the ratio to one draft."""
    figure = new_figure(PAGE, 4.8)
    left, right = figure.subplots(1, 2)
    _lines(left, table, "mean", "low", "high")
    _lines(right, table[table["verifier"] != "single"], "ratio", "ratio_low", "ratio_high")
    right.axhline(1.0, color=BLACK, linestyle=":", linewidth=1.2, label="as many as one draft")
    _reference(left, paper, "block efficiency")
    _reference(right, paper, "over one draft")
    left.set_ylabel("tokens per target call")
    right.set_ylabel("ratio to one draft of that length")
    first = table.iloc[0]
    left.set_title(f"{first['positions']} positions of {first['prompts']} prompts")
    right.set_title(f"Paired, {1 - first['level']:.0%} intervals over prompts")
    counts = sorted(table["num_drafts"].unique())
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.minorticks_off()
        axes.set_xlabel("number of draft sequences K")
    for length, line in _DASHES.items():
        filling = BLACK if length == 8 else "white"
        right.plot([], [], line, color=BLACK, marker="o", markerfacecolor=filling, label=f"L = {length}")
    right.plot([], [], color=LOOKS["single"].colour, marker=LOOKS["single"].marker, label="one draft")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


SPEC = FigureSpec(
    "figure.block-efficiency-real",
    "Sun et al. 2023, Table 1, on a pair of language models",
    "Tokens per target call against the number of draft sequences, and their ratio to one draft's.",
    "real.block-efficiency",
    ("block_efficiency", "paper"),
    draw,
)


def _lines(axes: Axes, table: pd.DataFrame, middle: str, low: str, high: str) -> None:
    groups = [(rule, *group) for rule, rows in by_rule(table, middle) for group in rows.groupby("draft_length")]
    shift = _SPREAD ** (-(len(groups) - 1) / 2)  # so that each number of drafts has its verifiers around it
    for (name, colour, marker), length, rows in groups:
        rows = rows.sort_values("num_drafts")
        places = rows["num_drafts"] * shift
        axes.plot(
            places,
            rows[middle],
            _DASHES[length],
            color=colour,
            marker=marker,
            markerfacecolor=colour if length == 8 else "white",
            label=name if length == 8 else None,
        )
        intervals(axes, places, rows[[low, high]].set_axis(["low", "high"], axis=1), colour)
        shift *= _SPREAD


def _reference(axes: Axes, paper: pd.DataFrame, words: str) -> None:
    rows = paper[paper["quantity"].str.contains(words)]
    axes.plot(
        rows["num_drafts"], rows["paper"], linestyle="", marker="*", markersize=11, color=BLACK, label="paper, L = 8"
    )
