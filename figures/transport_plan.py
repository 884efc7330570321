"""A small optimal transport plan: which drafts are accepted as which token, and what is left over on either side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, BLUE, GREEN, VERMILION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LARGEST = 21.0
"""Side of the square of the largest mass, in points."""


def draw(plan: pd.DataFrame, sets: pd.DataFrame, tokens: pd.DataFrame) -> Figure:
    """Draw the tables.

    ``plan``: columns row, token, mass; ``sets``: row, set, probability, accepted, rejected; ``tokens``: token, draft,
    target, drafted, resampled, in_dual_set, acceptance.
    """
    figure = new_figure(7.6, 6.2)
    grid = figure.add_gridspec(2, 2, width_ratios=[2.2, 1], height_ratios=[2.6, 1])
    main = figure.add_subplot(grid[0, 0])
    _draw_plan(main, plan, sets)
    beside = figure.add_subplot(grid[0, 1], sharey=main)
    beside.barh(sets["row"], sets["accepted"], color=GREEN, height=0.7)
    beside.barh(sets["row"], sets["rejected"], left=sets["accepted"], color=VERMILION, height=0.7, label="rejected")
    beside.tick_params(labelleft=False)
    beside.set_xlabel("P(set of drafts)")
    beside.set_xlim(right=1.1 * sets["probability"].max())
    below = figure.add_subplot(grid[1, 0], sharex=main)
    _draw_tokens(below, tokens)
    main.set_title(f"Two i.i.d. drafts, optimal acceptance {tokens['acceptance'].iloc[0]:.4f}: area is probability")
    # In the empty corner: on the grid its square and its dot would be data.
    figure.legend(loc="lower right", bbox_to_anchor=(0.98, 0.06))
    return figure


SPEC = FigureSpec(
    "figure.transport-plan",
    "after Sun et al. 2023, section 3",
    "An optimal transport plan of two drafts over five tokens: what is accepted, what is rejected, what proves it.",
    "spectr2023.otm-lp",
    ("plan", "sets", "tokens"),
    draw,
)


def _draw_plan(axes: Axes, plan: pd.DataFrame, sets: pd.DataFrame) -> None:
    unit = _LARGEST / plan["mass"].max() ** 0.5
    axes.plot(
        plan["token"], plan["row"], color="0.6", marker=".", linestyle="", markersize=5, label="drafted, not emitted"
    )
    for pair in plan[plan["mass"] > 0].itertuples():
        side = unit * pair.mass**0.5
        axes.plot([pair.token], [pair.row], color=GREEN, marker="s", linestyle="", markersize=side)
    axes.plot([], [], color=GREEN, marker="s", linestyle="", markersize=9, label="drafted and emitted")
    axes.set_yticks(sets["row"], sets["set"])
    axes.invert_yaxis()
    axes.tick_params(labelbottom=False)
    axes.set_ylabel("set of the drafted tokens")


def _draw_tokens(axes: Axes, tokens: pd.DataFrame) -> None:
    place, drafted = tokens["token"], tokens["drafted"]
    axes.bar(place, drafted, color=GREEN, width=0.6)
    axes.bar(place, tokens["resampled"], bottom=drafted, color=BLUE, width=0.6, label="drawn after rejection")
    axes.plot(place, tokens["draft"], color=BLACK, marker="_", linestyle="", markersize=24, label="draft p(y)")
    axes.set_xticks(place, _token_names(tokens))
    axes.set_xlabel("token y emitted (*: the set A, whose q(A) + 1 $-$ p(A)$^2$ is the acceptance)")
    axes.set_ylabel("target q(y)")


def _token_names(tokens: pd.DataFrame) -> list[str]:
    return [f"{row.token}{'*' if row.in_dual_set else ''}" for row in tokens.itertuples()]
