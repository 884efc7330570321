"""One priority coupling: whose priorities lie where, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, BLUE, GREEN, ORANGE, PAGE, PURPLE, SKY, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY)
_NAMES = "abcde"
_HATCH = "//////"


def draw(profile: pd.DataFrame, tokens: pd.DataFrame) -> Figure:
    """Draw the ``profile`` table (interval, token, priority, density, kept, num_drafts) beside the ``tokens`` table.

    Its columns are token, draft, target, rate, acceptance.
    """
    figure = new_figure(PAGE, 4.0)
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1.0))
    _intervals(left, profile)
    _rates(right, tokens)
    return figure


SPEC = FigureSpec(
    "figure.priority-coupling",
    "docs/priority-coupling.md",
    "One priority coupling of three drafts: the tokens' sets, what each wins, and the rates beside the target.",
    "priority.tiling",
    ("profile", "tokens"),
    draw,
)


def _intervals(axes: Axes, profile: pd.DataFrame) -> None:
    """Draw each interval up to the density of the highest priority, what is thinned away left white."""
    drafts = profile["num_drafts"].iloc[0]
    for _, rows in profile.groupby("interval", sort=False):
        token = rows["token"].iloc[0]
        colour = _COLOURS[token]
        axes.fill_between(rows["priority"], rows["kept"], color=colour, alpha=0.75, linewidth=0)
        if (rows["kept"] < rows["density"]).any():
            axes.fill_between(
                rows["priority"], rows["kept"], rows["density"], facecolor="white", edgecolor=colour, hatch=_HATCH
            )
        middle = rows.iloc[len(rows) // 2]
        axes.annotate(
            _NAMES[token],
            (middle["priority"], middle["density"]),
            xytext=(0, 5),
            textcoords="offset points",
            ha="right",
        )
    curve = profile.sort_values("priority")
    label = f"density of the highest of {drafts} priorities, {drafts}$s^{drafts - 1}$"
    axes.plot(curve["priority"], curve["density"], color=BLACK, label=label)
    axes.fill_between([], [], facecolor="white", edgecolor=BLACK, hatch=_HATCH, label="thinned away")
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(bottom=0.0)
    axes.grid(visible=False)
    axes.set_xlabel("priority s: each draft's is uniform on the set of its token")
    axes.set_ylabel("density")
    axes.set_title("Each token's set has length p; its area is how often it wins")
    axes.legend(loc="upper left")


def _rates(axes: Axes, tokens: pd.DataFrame) -> None:
    places = np.arange(len(tokens))
    colours = [_COLOURS[token] for token in tokens["token"]]
    axes.bar(places, tokens["rate"], width=0.7, color=colours, alpha=0.75)
    axes.bar(
        places,
        tokens["target"] - tokens["rate"],
        width=0.7,
        bottom=tokens["rate"],
        facecolor="white",
        edgecolor=colours,
    )
    # Grey stands for any token.
    axes.fill_between([], [], color="0.6", label="accepted as a draft, r")
    axes.fill_between([], [], facecolor="white", edgecolor="0.6", label="emitted from the residual")
    axes.plot(places, tokens["target"], linestyle="", marker="_", markersize=22, color=BLACK, label="target q")
    axes.plot(places, tokens["draft"], linestyle="", marker="x", markersize=6, color=BLACK, label="draft p")
    axes.set_xticks(places, [_NAMES[token] for token in tokens["token"]])
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("token")
    axes.set_ylabel("probability")
    axes.set_title(f"Acceptance {tokens['acceptance'].iloc[0]:.4f}, the optimum")
    axes.legend(loc="upper left", handlelength=1.5)
