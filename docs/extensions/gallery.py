"""The gallery: every figure of the registry, drawn when the site is built from tables of a quick run.

``make gallery`` runs what is not run yet and keeps the tables that figures draw in ``docs/gallery``. A site that is
built beside the ``results`` of a newer run draws those.
"""

import shutil
import sys
from pathlib import Path

import pandas as pd

from specproof.figures.registry import FIGURES
from specproof.figures.style import styled

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "gallery"
RUN = ROOT / "results" / "tables"
"""The tables of the last run in this checkout, if there was one."""

DPI = 110
"""Dots per inch: a picture across the page is then as wide as its room."""


def files(figure, folder):
    """Name the files of the tables that a figure draws."""
    return [folder / f"{figure.claim}.{table}.parquet" for table in figure.tables]


def picture(figure):
    """Name the picture of a figure."""
    return f"{figure.id.removeprefix('figure.')}.png"


def draw(figure, folder):
    """Draw a figure into a folder, from the last run or from what is kept."""
    found = next(paths for paths in (files(figure, RUN), files(figure, KEPT)) if all(path.exists() for path in paths))
    with styled():
        figure.draw(*map(pd.read_parquet, found)).savefig(folder / picture(figure), dpi=DPI)


def keep(tables):
    """Keep the tables of a run that figures draw, and no others."""
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir()
    for path in dict.fromkeys(path for figure in FIGURES for path in files(figure, tables)):
        shutil.copy(path, KEPT)


if __name__ == "__main__":
    keep(Path(sys.argv[1]) / "tables")
