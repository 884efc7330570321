"""The least share of the optimum that K-SEQ accepts, against the number of drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures.style import BLACK, BLUE, ORANGE, VERMILION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``worst_share`` table: columns num_drafts, found, worst, worst_limit, at_rho_k, guarantee."""
    figure = new_figure()
    axes = figure.add_subplot()
    rows = table.sort_values("num_drafts")
    limit, guarantee = rows["worst_limit"].iloc[0], rows["guarantee"].iloc[0]
    axes.plot(rows["num_drafts"], rows["worst"], color=BLUE, label=r"worst case at $\rho^*$, closed form")
    axes.plot(
        rows["num_drafts"],
        rows["found"],
        color=VERMILION,
        linestyle="",
        marker="o",
        markersize=5,
        markerfacecolor="none",
        label="smallest share found by the attack",
    )
    axes.axhline(limit, color=BLUE, linestyle=":", linewidth=1.2, label=f"its limit of many drafts, {limit:.4f}")
    axes.plot(rows["num_drafts"], rows["at_rho_k"], color=ORANGE, label=r"worst case at $\rho = k$, $1 - (1 - 1/k)^k$")
    axes.axhline(guarantee, color=BLACK, linestyle="--", linewidth=1.2, label=f"guarantee 1 - 1/e, {guarantee:.4f}")
    axes.set_xticks(rows["num_drafts"])
    axes.set_ylim(bottom=0.6, top=1.0)
    axes.set_xlabel("number of drafts k")
    axes.set_ylabel("acceptance of K-SEQ / optimum")
    axes.set_title("Smallest share of the optimum over all pairs of laws")
    axes.legend(loc="upper right", fontsize=8.5)
    return figure
