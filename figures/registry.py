"""All figures, in the order they are listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from figures import acceptance, batch, improvement, pareto, rejections
from figures.style import save, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


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
    tables : tuple of str
        Names of the tables it draws.
    draw : callable
        Takes the tables as data frames, in that order.
    """

    id: str
    source: str
    statement: str
    claim: str
    tables: tuple[str, ...]
    draw: Callable[..., Figure]

    def make(self, tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
        """Draw the tables and save the figure under its own name."""
        drawn = {name: tables[name] for name in self.tables}
        with styled():
            return save(self.draw(*drawn.values()), folder, self.id.removeprefix("figure."), drawn)


FIGURES: tuple[FigureSpec, ...] = (
    FigureSpec(
        "figure.rejections",
        "after Yin et al. 2024, the simulation figure, left panel",
        "Mean rejections over N simulated runs converge to Theorem 1 on a non-stationary chain.",
        "yin2024.theorem1",
        ("convergence",),
        rejections.draw,
    ),
    FigureSpec(
        "figure.batch",
        "after Yin et al. 2024, the simulation figure, middle and right panels",
        "Mean rejections with batches of 4 and 5 drafts converge to Theorem 3, and fall with M to a limit above 0.",
        "yin2024.theorem3",
        ("convergence", "against_drafts"),
        batch.draw,
    ),
    FigureSpec(
        "figure.batch-improvement",
        "after Yin et al. 2024, the batch improvement figure",
        "What a batch of M drafts saves at one position, for Bernoulli and uniform pairs, with the closed forms.",
        "yin2024.theorem3",
        ("improvement",),
        improvement.draw,
    ),
    FigureSpec(
        "figure.pareto",
        "after Yin et al. 2024, the Pareto figure",
        "Rejection against bias: the line, what nothing reaches, and OPT and UNO swept over the threshold.",
        "yin2024.theorem5",
        ("sweep",),
        pareto.draw,
    ),
    FigureSpec(
        "figure.acceptance",
        "Sun et al. 2023, on a pair of language models",
        "Acceptance against the number of drafts on real logits: one draft, K-SEQ, and the optimum.",
        "real.acceptance",
        ("acceptance",),
        acceptance.draw,
    ),
)
