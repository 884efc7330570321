"""Block efficiency of real models and what it gains on the clock, beside the paper's (Sun et al. 2023, Table 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, PAGE, by_rule, intervals, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DASHES = {4: "--", 8: "-"}
_SPREAD = 1.04
"""Factor by which verifiers with the same number of drafts stand apart, so that their intervals do not hide."""


def draw(table: pd.DataFrame, paper: pd.DataFrame) -> Figure:
    """Draw the ``block_efficiency`` and ``paper`` tables: tokens per target call, and what they gain on the clock."""
    figure = new_figure(PAGE, 4.6)
    left, right = figure.subplots(1, 2)
    drafted = table[table["draft_length"] > 0]
    _lines(left, drafted, "mean", "low", "high")
    _lines(right, drafted, "gain", "gain_low", "gain_high")
    one_or_kseq = drafted[drafted["verifier"].isin(["single", "kseq"])]
    for length, rows in one_or_kseq.groupby("draft_length"):
        rows = rows.sort_values("num_drafts")
        right.plot(rows["num_drafts"], rows["predicted"], color="grey", linestyle=_DASHES[length], linewidth=1.2)
    right.plot([], [], color="grey", label="tokens per call of K-SEQ / (Lc + 1)")
    right.axhline(1.0, color=BLACK, linestyle=":", linewidth=1.2, label="target alone")
    _reference(left, paper, "block efficiency")
    _reference(right, paper, "over the target alone")
    left.set_ylabel("tokens per target call")
    right.set_ylabel("wall-clock gain over the target alone")
    first = drafted.iloc[0]
    left.set_title(f"{first['prompts']} prompts, {1 - first['level']:.0%} intervals over prompts")
    right.set_title(f"Draft step c = {first['cost']:.2f} target calls")
    counts = sorted(drafted["num_drafts"].unique())
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.minorticks_off()
        axes.set_xlabel("number of draft sequences K")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


SPEC = FigureSpec(
    "figure.block-efficiency-real",
    "Sun et al. 2023, Table 1, on a pair of language models",
    "Tokens per target call against the number of draft sequences, and what they gain on the clock.",
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
            label=f"{name}, L = {length}",
        )
        intervals(axes, places, rows[[low, high]].set_axis(["low", "high"], axis=1), colour)
        shift *= _SPREAD


def _reference(axes: Axes, paper: pd.DataFrame, words: str) -> None:
    rows = paper[paper["quantity"].str.contains(words)]
    axes.plot(
        rows["num_drafts"], rows["paper"], linestyle="", marker="*", markersize=11, color=BLACK, label="paper, L = 8"
    )
