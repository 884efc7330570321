"""The figures of a run, drawn in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from specproof.figures.figure_spec import FigureSpec
from specproof.own_code import is_ours
from specproof.simulations.experiments.workers import in_workers

if TYPE_CHECKING:
    import pandas as pd


def draw_figures(
    figures: Sequence[FigureSpec],
    tables: Mapping[str, Mapping[str, pd.DataFrame]],
    folder: Path,
    jobs: int,
    prepare: Callable[[], None],
) -> list[Path]:
    """Draw and save figures, and return their files in the order of the figures.

    Those of a person's own are drawn in this process: their functions may be such as cannot travel to another.

    Parameters
    ----------
    figures : sequence of FigureSpec
    tables : mapping
        The tables of the claims, by claim and by name.
    folder : Path
        The files are written here.
    jobs : int
        Worker processes.
    prepare : callable
        Called in a worker before it draws, as rules of a person's own have to be known there; it travels.

    Raises
    ------
    InvalidInput
        If a table is missing, what is drawn is not a figure, or a file cannot be written.
    """
    drawn: dict[str, list[Path]] = {}
    calls = [partial(_draw, prepare, figure, tables[figure.claim], folder) for figure in figures if is_ours(figure)]
    if min(jobs, len(calls)) > 1:
        with closing(in_workers(calls, jobs)) as finished:
            drawn.update(finished)
    for figure in figures:
        if figure.id not in drawn:
            drawn[figure.id] = figure.make(tables[figure.claim], folder)
    return [path for figure in figures for path in drawn[figure.id]]


def _draw(
    prepare: Callable[[], None], figure: FigureSpec, tables: Mapping[str, pd.DataFrame], folder: Path
) -> tuple[str, list[Path]]:
    prepare()
    return figure.id, figure.make(tables, folder)
