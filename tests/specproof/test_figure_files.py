"""The figures of a run are the same from worker processes as from this one, and a person's own need not travel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from specproof.figure_files import draw_figures
from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import new_figure

OURS = [FigureSpec(f"figure.{name}", "ours", "Empty.", "a.claim", (), new_figure) for name in "ab"]


def test_workers_draw_what_one_process_draws_in_the_order_of_the_figures(tmp_path: Path) -> None:
    drawers = []
    own = FigureSpec(
        "figure.own", "mine", "Empty.", "a.claim", (), lambda: (drawers.append(os.getpid()), new_figure())[1]
    )
    figures = [OURS[1], own, OURS[0]]
    one, two = (draw_figures(figures, {"a.claim": {}}, tmp_path / str(jobs), jobs) for jobs in (1, 2))
    names = [f"{name}.{kind}" for name in ("b", "own", "a") for kind in ("png", "pdf", "svg")]
    assert [path.name for path in one] == [path.name for path in two] == names
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert drawers == [os.getpid()] * 2


def test_no_worker_is_started_for_one_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specproof.figure_files.in_workers", None)
    drawn = draw_figures(OURS[:1], {"a.claim": {}}, tmp_path, jobs=4)
    assert sorted(tmp_path.iterdir()) == sorted(drawn)
    assert draw_figures([], {}, tmp_path, jobs=4) == []
