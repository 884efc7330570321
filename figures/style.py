"""One look for all figures, and one way to save them. Matplotlib is loaded only when something is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import specproof.theory.blocks  # noqa: F401  (it has a look in LOOKS and is no verifier)
from specproof.simulations.experiments.whole_files import whole_file, write_text
from specproof.theory.looks import Look
from specproof.theory.verifiers import LOOKS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
"""The palette of Okabe and Ito (2008), distinguishable with every kind of colour vision."""

ON_DARK, ON_LIGHT = "#FEFEFE", "#010101"
"""Text on coloured ground: pages in dark colours turn black and white round, and leave these."""

COLUMN, PAGE = 5.2, 8.4
"""Widths in inches of a figure for one column and across the page; a journal prints them at some 3.4 and 7."""


_RC: Any = {
    "font.size": 10,
    "axes.axisbelow": True,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "specproof",
    "savefig.dpi": 200,
}


@contextmanager
def styled() -> Iterator[None]:
    """Apply the style to what is drawn inside.

    Examples
    --------
    >>> from specproof.figures import new_figure, styled
    >>> with styled():
    ...     axes = new_figure().subplots()
    >>> axes.spines["top"].get_visible()
    False
    """
    import matplotlib as mpl

    with mpl.rc_context(_RC):
        yield


def new_figure(width: float = COLUMN, height: float = 3.6) -> Figure:
    """Make an empty figure, sizes in inches, that no window system needs to know of.

    Examples
    --------
    >>> from specproof.claims import new_figure
    >>> new_figure(width=4.0, height=3.0).get_size_inches().tolist()
    [4.0, 3.0]
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def by_rule(table: pd.DataFrame, value: str, column: str = "verifier") -> Iterator[tuple[Look, pd.DataFrame]]:
    """Split a table by the rules that a column names, the one with the highest mean value first, as legends list them.

    Every verifier that is registered has a look, those of a user among them.

    Examples
    --------
    >>> from specproof.claims import by_rule
    >>> import pandas as pd
    >>> table = pd.DataFrame({"verifier": ["kseq", "priority"], "share": [0.9, 1.0]})
    >>> [(look.label, len(rows)) for look, rows in by_rule(table, "share")]
    [('priority coupling', 1), ('K-SEQ', 1)]
    """
    means = table.groupby(column)[value].mean().sort_values(ascending=False, kind="stable")
    for rule in means.index:
        yield LOOKS[rule], table[table[column] == rule]


def legend_below(axes: Axes) -> None:
    """Put the legend under the axes, where there may be data at any height.

    Examples
    --------
    >>> from specproof.claims import legend_below, new_figure
    >>> axes = new_figure().subplots()
    >>> line = axes.plot([0, 1], [0, 1], label="share")
    >>> legend_below(axes)
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['share']
    """
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)


def intervals(axes: Axes, places: pd.Series, table: pd.DataFrame, colour: str) -> None:
    """Draw the intervals ``low`` to ``high`` of a table as upright bars.

    Examples
    --------
    >>> from specproof.claims import intervals, new_figure
    >>> import pandas as pd
    >>> table = pd.DataFrame({"low": [0.1, 0.2], "high": [0.3, 0.4]})
    >>> axes = new_figure().subplots()
    >>> intervals(axes, pd.Series([0, 1]), table, "black")
    >>> len(axes.collections)
    1
    """
    axes.vlines(places, table["low"], table["high"], color=colour, linewidth=1.4, zorder=3)


def as_svg(figure: Figure) -> str:
    """Write a figure as SVG on no background, its text as text; call it within :func:`styled`."""
    written = StringIO()
    figure.savefig(written, format="svg", facecolor="none", metadata={"Date": None, "Creator": "specproof"})
    return written.getvalue()


def save(figure: Figure, folder: Path, name: str, data: Mapping[str, pd.DataFrame]) -> list[Path]:
    """Write PNG, PDF, SVG and the drawn tables as CSV, each whole or not at all; undated, so that bytes repeat."""
    paths = [folder / f"{name}.{kind}" for kind in ("png", "pdf", "svg")]
    with whole_file(paths[0]) as png:
        figure.savefig(png, format="png", metadata={"Software": "specproof"})
    figure.set_layout_engine("none")  # it is laid out now, and the other files look like the first
    with whole_file(paths[1]) as pdf:
        figure.savefig(pdf, format="pdf", metadata={"CreationDate": None, "Creator": "specproof"})
    write_text(paths[2], as_svg(figure))
    for table, rows in data.items():
        paths.append(folder / (f"{name}.csv" if len(data) == 1 else f"{name}.{table}.csv"))
        with whole_file(paths[-1]) as csv:
            rows.to_csv(csv, index=False)
    return paths
