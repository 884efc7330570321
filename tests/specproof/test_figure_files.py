"""The figures of a run are the same from worker processes as from this one, and a person's own need not travel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from specproof.figure_files import draw_figures
from specproof.figures.figure_spec import FigureSpec
from specproof.figures.registry import FIGURES
from specproof.figures.style import new_figure

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"
OURS = [FigureSpec(f"figure.{name}", "ours", "Empty.", "a.claim", (), new_figure) for name in "ab"]


def test_workers_draw_what_one_process_draws_in_the_order_of_the_figures(tmp_path: Path) -> None:
    drawers = []
    own = FigureSpec(
        "figure.own", "mine", "Empty.", "a.claim", (), lambda: (drawers.append(os.getpid()), new_figure())[1]
    )
    figures = [OURS[1], own, OURS[0]]
    one, two = (
        draw_figures(figures, {"a.claim": {}}, tmp_path / str(jobs), jobs, prepare=(tmp_path / f"in {jobs}").touch)
        for jobs in (1, 2)
    )
    names = [f"{name}.{kind}" for name in ("b", "own", "a") for kind in ("png", "pdf", "svg")]
    assert [path.name for path in one] == [path.name for path in two] == names
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert drawers == [os.getpid()] * 2
    assert not (tmp_path / "in 1").exists()
    assert (tmp_path / "in 2").exists(), "a worker is prepared before it draws"


def test_no_worker_is_started_for_one_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specproof.figure_files.in_workers", None)
    drawn = draw_figures(OURS[:1], {"a.claim": {}}, tmp_path, jobs=4, prepare=tmp_path.touch)
    assert sorted(tmp_path.iterdir()) == sorted(drawn)
    assert draw_figures([], {}, tmp_path, jobs=4, prepare=tmp_path.touch) == []


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(spec, id=spec.id, marks=() if spec.id == "figure.block-efficiency-real" else pytest.mark.slow)
        for spec in FIGURES
    ],
)
def test_a_figure_needs_nothing_but_its_module_and_its_tables(spec: FigureSpec) -> None:
    """A worker that draws may have loaded nothing else."""
    files = [str(GALLERY / f"{spec.claim}.{name}.parquet") for name in spec.tables]
    code = f"import pandas as pd; from {spec.draw.__module__} import draw; draw(*map(pd.read_parquet, {files}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
