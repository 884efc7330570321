"""What relaxation buys: rejection against bias in TV and in KL, by every lossy rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, BLUE, GREEN, ORANGE, PAGE, PURPLE, VERMILION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_RULES = {
    "kl_optimal": ("optimal under KL", BLACK, "", "-"),
    "decoding_opt": ("optimal under TV (Yin et al.)", BLUE, "", "--"),
    "ensemble": ("ensemble", GREEN, "o", ":"),
    "typical": ("typical acceptance", ORANGE, "s", "none"),
    "relaxed_top": ("relaxed acceptance", VERMILION, "^", "none"),
    "two_thresholds": ("two thresholds", PURPLE, "d", "none"),
}
"""Label, colour, marker and line of each rule: optima are lines."""


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``relaxation`` table: a panel for each measure of bias."""
    figure = new_figure(PAGE, 4.2)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, measure, name in zip(panels, ("tv", "kl"), ("total variation", "KL divergence, nats"), strict=True):
        for rule, (label, colour, marker, line) in _RULES.items():
            rows = table[table["rule"] == rule].sort_values(measure, kind="stable")
            axes.plot(
                rows[measure],
                rows["rejection"],
                color=colour,
                marker=marker or "none",
                markersize=4,
                linestyle=line,
                label=label,
            )
        axes.locator_params(axis="x", nbins=5)  # more labels would touch each other
        axes.set_xlabel(f"bias of what is emitted: {name}")
    panels[0].set_ylabel("probability of rejection")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


SPEC = FigureSpec(
    "figure.what-relaxation-buys",
    "specproof.theory.lossy, beside Yin et al. 2024, section 4",
    "Rejection against bias in TV and in KL: lossy rules in use, and the best that either bias can buy.",
    "relaxed.kl-optimal",
    ("relaxation",),
    draw,
)
