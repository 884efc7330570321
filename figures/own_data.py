"""A figure of a person's own table, in the style of ours, in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specproof.figures.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, new_figure, styled
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers import LOOKS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_SERIES = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK)
_MARKERS = "os^Dv<>"


def draw_lines(
    table: pd.DataFrame,
    x: str,
    y: str,
    *,
    by: str | None = None,
    low: str | None = None,
    high: str | None = None,
    title: str = "",
) -> Figure:
    """Draw one column of a table against another, a line for each value of a third, with bands where there are some.

    Where the third column names registered verifiers their lines have the labels, colours and markers of our figures.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a point.
    x, y : str
        The columns of the axes, whose names are their labels.
    by : str, optional
        The column that tells the lines apart.
    low, high : str, optional
        The columns of the intervals' ends, drawn as a band; either both or none.
    title : str
        It stands over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        If the table has no such column or no row, or one end of the intervals is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from specproof.figures import draw_lines
    >>> points = [("kseq", 1, 0.6), ("kseq", 2, 0.7), ("priority", 1, 0.6), ("priority", 2, 0.8)]
    >>> table = pd.DataFrame(points, columns=["rule", "drafts", "acceptance"])
    >>> figure = draw_lines(table, "drafts", "acceptance", by="rule")
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['K-SEQ', 'priority coupling']
    """
    _check(table, (x, y, by, low, high))
    with styled():
        figure = new_figure()
        axes = figure.subplots()
        groups = [("", table)] if by is None else list(table.groupby(by, sort=False))
        for index, (value, rows) in enumerate(groups):
            label, colour, marker = _look(value, index)
            rows = rows.sort_values(x)
            axes.plot(rows[x], rows[y], label=label, color=colour, marker=marker)
            if low is not None:
                axes.fill_between(rows[x], rows[low], rows[high], color=colour, alpha=0.18, linewidth=0)
        axes.set_xlabel(x.replace("_", " "))
        axes.set_ylabel(y.replace("_", " "))
        axes.set_title(title)
        if by is not None:
            axes.legend()
    return figure


def _look(value: object, index: int) -> tuple[str, str, str]:
    if isinstance(value, str) and value in LOOKS:
        label, colour, marker = LOOKS[value]
        return label, colour, marker
    return str(value), _SERIES[index % len(_SERIES)], _MARKERS[index % len(_MARKERS)]


def _check(table: pd.DataFrame, names: tuple[str | None, ...]) -> None:
    for name in filter(None, names):
        if name not in table:
            raise InvalidInput(f"table has no column {name!r}: it has {', '.join(map(str, table.columns)) or 'none'}")
    if not len(table):
        raise InvalidInput("table has no row: give at least one point")
    if (names[-2] is None) != (names[-1] is None):
        raise InvalidInput("low and high are the two ends of one interval: give both or none")
