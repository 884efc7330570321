"""The least share of the optimum that K-SEQ accepts, against the number of drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, BLUE, PAGE, SKY, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_MARKERS = ("o", "s", "^", "D")
"""By structure of the laws searched, in the order of the table."""

_APART = 0.17
"""Between the markers of one number of drafts, so that those on the curve can be told apart."""


def draw(table: pd.DataFrame, instances: pd.DataFrame) -> Figure:
    """Draw the tables.

    ``worst_share``: columns num_drafts, worst, worst_limit, at_rho_k, guarantee; ``worst_instances``: num_drafts,
    structure, share.
    """
    figure = new_figure(PAGE, 4.6)
    axes = figure.add_subplot()
    rows = table.sort_values("num_drafts")
    limit, guarantee = rows["worst_limit"].iloc[0], rows["guarantee"].iloc[0]
    axes.plot(rows["num_drafts"], rows["worst"], color=BLUE, label=r"worst case at $\rho^*$, closed form")
    axes.axhline(limit, color=BLUE, linestyle=":", linewidth=1.2, label=f"its limit of many drafts, {limit:.4f}")
    axes.plot(rows["num_drafts"], rows["at_rho_k"], color=SKY, label=r"worst case at $\rho = k$, $1 - (1 - 1/k)^k$")
    axes.axhline(guarantee, color=BLACK, linestyle="--", linewidth=1.2, label=f"guarantee $1 - 1/e$, {guarantee:.4f}")
    structures = list(instances.groupby("structure", sort=False))
    for index, ((name, found), marker) in enumerate(zip(structures, _MARKERS, strict=True)):
        axes.plot(
            found["num_drafts"] + _APART * (index - (len(_MARKERS) - 1) / 2),
            found["share"],
            color="0.3",
            linestyle="",
            marker=marker,
            markersize=3.5,
            markerfacecolor="none",
            label=f"smallest found: {name}, V = {', '.join(map(str, sorted(found['tokens'].unique())))}",
        )
    axes.set_xticks(rows["num_drafts"])
    axes.set_ylim(bottom=0.6)
    axes.set_xlabel("number of drafts k")
    axes.set_ylabel("acceptance of K-SEQ / optimal acceptance")
    axes.set_title("Smallest share of the optimum over all pairs of laws")
    # A legend is filled column by column: the curves, then what was found.
    figure.legend(loc="outside lower center", ncols=2)
    return figure


SPEC = FigureSpec(
    "figure.worst-share",
    "Sun et al. 2023, the guarantee of Algorithm 2",
    "The smallest share of the optimum that K-SEQ accepts, found and in closed form, above 1 - 1/e for every k.",
    "spectr2023.kseq-guarantee",
    ("worst_share", "worst_instances"),
    draw,
)
