"""All figures, in the order they are listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from figures import acceptance, rejections
from figures.style import save, styled


@dataclass(frozen=True)
class FigureSpec:
    """A figure and where its data comes from.

    Attributes
    ----------
    id : str
    source, statement : str
        What it is after, and what it shows, one line each.
    claim : str
        The claim whose experiment makes the table.
    table : str
        Name of the table.
    draw : callable
    """

    id: str
    source: str
    statement: str
    claim: str
    table: str
    draw: Callable[[pd.DataFrame], Figure]

    def make(self, table: pd.DataFrame, folder: Path) -> list[Path]:
        """Draw the table and save the figure under its own name."""
        with styled():
            return save(self.draw(table), folder, self.id.removeprefix("figure."), table)


FIGURES: tuple[FigureSpec, ...] = (
    FigureSpec(
        "figure.rejections",
        "after Yin et al. 2024, the simulation figure, left panel",
        "Mean rejections over N simulated runs converge to Theorem 1 on a non-stationary chain.",
        "yin2024.theorem1",
        "convergence",
        rejections.draw,
    ),
    FigureSpec(
        "figure.acceptance",
        "Sun et al. 2023, on a pair of language models",
        "Acceptance against the number of drafts on real logits: one draft, K-SEQ, and the optimum.",
        "real.acceptance",
        "acceptance",
        acceptance.draw,
    ),
)
