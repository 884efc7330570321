"""A data frame as the rows and columns of a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 120
"""A page shows so many rows of a table; the file beside it has all."""


@dataclass(frozen=True)
class Column:
    """One column: its heading, and whether it holds numbers, which are aligned to the right."""

    heading: str
    """What stands over it."""
    numeric: bool
    """Whether it holds numbers."""


@dataclass(frozen=True)
class DataTable:
    """What a page shows of a data frame."""

    caption: str
    """What the rows are."""
    columns: tuple[Column, ...]
    """The columns, from the left."""
    rows: Sequence[Sequence[str]]
    """The texts of the cells, row by row."""
    left_out: int = 0
    """How many rows the page does not show."""


def data_table(caption: str, frame: pd.DataFrame, most: int = MOST_ROWS) -> DataTable:
    """Make a table of a data frame.

    Parameters
    ----------
    caption : str
        What the rows are.
    frame : pandas.DataFrame
        Its columns are named in words, or in words with underscores between them.
    most : int
        No more rows are shown.

    Examples
    --------
    >>> import pandas as pd
    >>> table = data_table("Shares", pd.DataFrame({"num_drafts": [1, 2], "share": [1.0, 8 / 9]}))
    >>> [column.heading for column in table.columns], table.rows
    (['num drafts', 'share'], [['1', '1'], ['2', '0.888889']])
    """
    shown = frame.head(most)
    columns = tuple(Column(str(name).replace("_", " "), shown[name].dtype.kind in "iuf") for name in shown.columns)
    rows = [[in_digits(value) for value in row] for row in shown.itertuples(index=False, name=None)]
    return DataTable(caption, columns, rows, len(frame) - len(shown))


def in_digits(value: Any) -> str:
    """Write a value: numbers in six digits, what does not exist as a dash.

    Examples
    --------
    >>> in_digits(1 / 3), in_digits(float("nan")), in_digits(float("inf")), in_digits(1_000_000), in_digits("kseq")
    ('0.333333', '–', '∞', '1,000,000', 'kseq')
    """
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "-∞"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
