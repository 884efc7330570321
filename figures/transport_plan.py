"""A small optimal transport plan: which drafts are accepted as which token, and what is left over on either side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures.style import BLUE, GREEN, VERMILION, new_figure

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
    beside.barh(sets["row"], sets["accepted"], color=GREEN, height=0.7, label="emitted")
    beside.barh(sets["row"], sets["rejected"], left=sets["accepted"], color=VERMILION, height=0.7, label="rejected")
    beside.tick_params(labelleft=False)
    beside.set_xlabel("P(set of drafts)")
    beside.set_xlim(right=1.1 * sets["probability"].max())
    beside.legend(loc="lower right")
    below = figure.add_subplot(grid[1, 0], sharex=main)
    below.bar(tokens["token"], tokens["drafted"], color=GREEN, width=0.6, label="was drafted")
    below.bar(
        tokens["token"],
        tokens["resampled"],
        bottom=tokens["drafted"],
        color=BLUE,
        width=0.6,
        label="drawn after rejection",
    )
    below.plot(tokens["token"], tokens["draft"], color="black", marker="_", linestyle="", markersize=24, label="p")
    below.set_xticks(tokens["token"], _token_names(tokens))
    below.set_xlabel("token y emitted (*: the set A, whose q(A) + 1 - p(A)$^2$ is the acceptance)")
    below.set_ylabel("q(y)")
    figure.legend(*below.get_legend_handles_labels(), loc="lower right", bbox_to_anchor=(0.98, 0.08))
    below.legend().set_visible(False)
    main.set_title(f"Two i.i.d. drafts, optimal acceptance {tokens['acceptance'].iloc[0]:.4f}: area is probability")
    for axes in figure.axes:
        axes.set_axisbelow(True)
    return figure


def _draw_plan(axes: Axes, plan: pd.DataFrame, sets: pd.DataFrame) -> None:
    unit = _LARGEST / plan["mass"].max() ** 0.5
    axes.plot(plan["token"], plan["row"], color="#CCCCCC", marker=".", linestyle="", markersize=3, label="drafted only")
    for index, pair in enumerate(plan[plan["mass"] > 0].itertuples()):
        label = "emitted" if index == 0 else None
        side = unit * pair.mass**0.5
        axes.plot([pair.token], [pair.row], color=GREEN, marker="s", linestyle="", markersize=side, label=label)
    axes.set_yticks(sets["row"], sets["set"])
    axes.invert_yaxis()
    axes.tick_params(labelbottom=False)
    axes.set_ylabel("set of the drafted tokens")
    axes.legend(loc="upper right", markerscale=0.5)


def _token_names(tokens: pd.DataFrame) -> list[str]:
    return [f"{row.token}{'*' if row.in_dual_set else ''}" for row in tokens.itertuples()]
