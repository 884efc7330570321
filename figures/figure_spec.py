"""What a figure is: where its data comes from, and the function that draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from specproof.figures.style import save, styled
from specproof.theory.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FigureSpec:
    """A figure and where its data comes from.

    Attributes
    ----------
    id : str
        The figure is asked for by this id, such as ``figure.acceptance``.
    source, statement : str
        What it is after, and what it shows, one line each.
    claim : str
        The claim whose experiment makes the table.
    tables : tuple of str
        Names of the tables it draws.
    draw : callable
        Takes the tables as data frames, in that order.

    Examples
    --------
    >>> from specproof.claims import FigureSpec, new_figure
    >>> def draw(table):
    ...     figure = new_figure()
    ...     figure.subplots().plot(table["x"], table["y"])
    ...     return figure
    >>> FigureSpec("figure.mine", "a note of ours", "y against x.", "my.claim", ("points",), draw).tables
    ('points',)
    """

    id: str
    source: str
    statement: str
    claim: str
    tables: tuple[str, ...]
    draw: Callable[..., Figure]

    def make(self, tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
        """Draw the tables and save the figure under its own name.

        Raises
        ------
        InvalidInput
            If a table is missing, or what is drawn is not a figure.
        """
        from matplotlib.figure import Figure

        missing = [name for name in self.tables if name not in tables]
        if missing:
            made = ", ".join(tables) or "none"
            raise InvalidInput(f"{self.id} draws table {missing[0]!r}, which {self.claim} does not make: it has {made}")
        drawn = {name: tables[name] for name in self.tables}
        with styled():
            figure = self.draw(*drawn.values())
            if not isinstance(figure, Figure):
                raise InvalidInput(f"{self.id} draws a {type(figure).__name__}: return a matplotlib Figure")
            return save(figure, folder, self.id.removeprefix("figure."), drawn)
