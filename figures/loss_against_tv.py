"""What K-SEQ and recursive rejection lose to the optimum, position by position, against the total variation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import BLACK, PAGE, SKY, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_RULES = ("kseq", "recursive")


def draw(table: pd.DataFrame) -> Figure:
    """Draw the ``losses`` table: columns verifier, tv, lost, passed_over, num_drafts, ..."""
    figure = new_figure(PAGE)
    panels = figure.subplots(1, len(_RULES), sharey=True)
    for rule, axes in zip(_RULES, panels, strict=True):
        rows = table[table["verifier"] == rule]
        mostly_passed = rows["passed_over"] > 0.5 * rows["lost"]
        for kind, colour, marker, label in (
            (mostly_passed, BLACK, "^", "mostly wanted drafts passed over"),
            (~mostly_passed, SKY, "o", "mostly target mass emitted in place of drafts"),
        ):
            axes.plot(
                rows["tv"][kind],
                rows["lost"][kind],
                marker,
                color=colour,
                markersize=3.5,
                alpha=0.5,
                mew=0,
                label=label,
            )
        axes.set_title(f"{rows['label'].iloc[0]}, {rows['num_drafts'].iloc[0]} drafts")
        axes.set_xlabel("total variation of draft and target")
    panels[0].set_ylim(bottom=0.0)  # last, as it fixes the top of both panels
    panels[0].set_ylabel("acceptance below the optimum")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, markerscale=1.5)
    return figure


SPEC = FigureSpec(
    "figure.loss-against-tv",
    "docs/priority-coupling.md, on pairs of language models",
    "What K-SEQ and recursive rejection lose to the optimum at each position, against TV, and how they lose it.",
    "priority.gain",
    ("losses",),
    draw,
)
