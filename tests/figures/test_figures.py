"""Every figure from a small table: the same bytes each time, and nothing on it that the table does not say."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

from specproof.figures import build_time, growth
from specproof.figures.figure_spec import FigureSpec
from specproof.figures.registry import FIGURES
from specproof.figures.style import new_figure, save, styled
from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import random_rows
from specproof.simulations.claims.priority import gain
from specproof.simulations.claims.real import block_efficiency, tree_calls
from specproof.simulations.claims.real.acceptance import DRAFT_COUNTS
from specproof.simulations.claims.registry import CLAIMS
from specproof.simulations.claims.yin2024.coupled_texts import LOGS
from specproof.simulations.claims.yin2024.over_acceptance import EPSILONS
from specproof.simulations.experiments.cell import CellContext, Records
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers import LOOKS

FEW: Mapping[str, int] = {"instances": 2, "runs": 1000, "trials": 1000, "generations": 1, "members": 2, "finish": 20}
"""Sizes of the experiments behind the tables."""

RULES = ("kseq", "recursive", "recursive_distinct", "optimal")
POSITIONS: Records = [
    {"pair": "rtn:4", "prompt": prompt, "tv": 0.5, "single": 0.5 + 0.125 * prompt}
    | {"kseq_error": 0.0, "recursive_error": 0.0}
    | {f"{rule}_{k}": 1 - (0.5 - 0.125 * prompt) ** k for rule in RULES for k in DRAFT_COUNTS}
    for prompt in (0, 0, 1, 2)
]
MEASURED = [gain.measure(*pair) for pair in zip(*random_rows(np.random.default_rng(0), 5, 12), strict=True)]
GAINS: Records = [
    {"pair": pair, "prompt": place % 3, "id": "a", "position": place, "temperature": temperature, "top": top}
    | {name: float(value) for name, value in measured.items()}
    for pair in gain.DRAFTS[:2]
    for temperature in gain.TEMPERATURES
    for top in gain.TOPS
    for place, measured in enumerate(MEASURED)
]
SUMS: Records = [
    {"configuration": index, "prompt": prompt, "tokens": 40.0 + index + 3 * place, "calls": 20.0 - place}
    for index in range(len(block_efficiency.configurations()))
    for place, prompt in enumerate("abc")
]
LEVELS: Records = [
    {"mode": mode, "rule": "kseq", "accepted": index % 2 == 0, "chance": 0.5}
    for mode in (block_efficiency.PROPER, block_efficiency.OTHER_RULE, block_efficiency.BROKEN)
    for index in range(4)
]
BLOCKS: Records = [{"pair": "rtn:4", "gap": 0.0, "gap_turned_round": -0.5, "positions": 100}]
RATES: Records = [{"prompt": prompt, "overlap": 24.0 + place, "positions": 32} for place, prompt in enumerate("abc")]
CHOICES = [
    {"pair": "rtn:4", "prompt": prompt, "copy": copy, "epsilon": epsilon}
    for prompt in (0, 1, 2)
    for copy in (0, 1)
    for epsilon in EPSILONS
]
WRITTEN = [
    {**choice, "opt": rule == "opt", "uno": rule == "uno", **dict.fromkeys(LOGS, -float(index % 3))}
    for index, choice in enumerate(CHOICES)
    for rule in ("opt", "uno")
]
CALLS: Records = [
    {"rule": rule, "prompt": prompt, "pair": "rtn:4", "num_drafts": 2, "length": 3, "accepted": place / len(rule)}
    for rule in ("single-levels", "traversal", "spectr-gbv")
    for place, prompt in enumerate("abc")
]
OBSERVED: Mapping[str, Mapping[str, Records]] = {
    "real.acceptance": {"positions": POSITIONS},
    "real.block-efficiency": {"sums": SUMS, "levels": LEVELS, "blocks": BLOCKS, "rates": RATES},
    "real.trees": {
        "calls": CALLS,
        "levels": [{**level, "mode": mode} for mode in (tree_calls.PROPER, tree_calls.BROKEN) for level in LEVELS],
    },
    "priority.gain": {"positions": GAINS},
    "yin2024.opt-uno": {
        "positions": [
            {**choice, "position": 0, "tv": 0.5, "rejected": False, "rejection_error": 0.0, "halved": 0.75}
            | {"rejection": 0.1 / (1 + choice["prompt"]), "bias_opt": 0.25, "bias_uno": 0.375}
            | {"win_likelihood": 0.5, "win_ratio": 0.625, "gain_likelihood": 0.0, "gain_ratio": 0.5}
            for choice in CHOICES
        ],
        "continuations": WRITTEN,
        "scores": [
            {**text, "judge": judge, "score": float(index % 7)}
            for judge in ("likelihood", "likelihood ratio")
            for index, text in enumerate(WRITTEN)
        ],
    },
}
"""In place of language models."""

CLAIM_OF: dict[str, Claim] = {claim.id: claim for claim in CLAIMS}


@functools.cache
def tables_of(claim_id: str) -> dict[str, pd.DataFrame]:
    """What a claim tabulates, from a tiny experiment."""
    claim = CLAIM_OF[claim_id]
    tables: dict[str, Records] = {}
    if claim.needs_models:
        tables.update(OBSERVED[claim_id])
    else:
        for cell in claim.cells(Settings()):
            parameters = {name: min(value, FEW.get(name, value)) for name, value in cell.parameters.items()}
            found = cell.function(CellContext(np.random.default_rng(0), 1e-9), **parameters)
            for name, records in found.tables.items():
                tables.setdefault(name, []).extend(records)
    if claim.conclude is not None:
        tables.update(claim.conclude(CellContext(np.random.default_rng(0), 1e-9, tables)).tables)
    return {name: pd.DataFrame(records) for name, records in tables.items()}


def together(claim_id: str) -> pytest.MarkDecorator:
    """One worker makes a claim's tables, for all tests of them."""
    return pytest.mark.xdist_group(claim_id)


DEAR = ("judge.share-of-block-optimum", "spectr2023.block-efficiency")
"""The experiments of these claims take seconds at any size; the reproduction and the site draw their figures too."""


def marks_of(claim_id: str) -> list[pytest.MarkDecorator]:
    return [together(claim_id), *([pytest.mark.slow] if claim_id in DEAR else [])]


@pytest.fixture(params=[pytest.param(spec, id=spec.id, marks=marks_of(spec.claim)) for spec in FIGURES])
def figure(request: pytest.FixtureRequest) -> FigureSpec:
    spec: FigureSpec = request.param
    return spec


@functools.cache
def draw(figure: FigureSpec) -> Any:
    """The figure, drawn once for all that only look at it; its tables are as before."""
    tables = [tables_of(figure.claim)[name] for name in figure.tables]
    before = [table.copy() for table in tables]
    with styled():
        drawn = figure.draw(*tables)
    for table, copy in zip(tables, before, strict=True):
        pd.testing.assert_frame_equal(table, copy)
    return drawn


def test_names_are_used_once() -> None:
    assert all(figure.id.startswith("figure.") for figure in FIGURES)
    assert len({item.id for item in (*FIGURES, *CLAIMS)}) == len(FIGURES) + len(CLAIMS)


def nightly_but_for(*ids: str) -> list[Any]:
    """Every figure, all but these marked slow."""
    marks = {spec.id: [together(spec.claim), *([] if spec.id in ids else [pytest.mark.slow])] for spec in FIGURES}
    return [pytest.param(spec, id=spec.id, marks=marks[spec.id]) for spec in FIGURES]


@pytest.mark.parametrize("spec", nightly_but_for("figure.pareto"))
def test_files_hold_the_picture_and_the_tables_and_repeat_byte_for_byte(spec: FigureSpec, tmp_path: Path) -> None:
    tables = tables_of(spec.claim)
    made, again = (spec.make(tables, tmp_path / name) for name in "ab")
    assert sorted((tmp_path / "a").iterdir()) == sorted(made)
    name = spec.id.removeprefix("figure.")
    assert (tmp_path / "a" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a" / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "a" / f"{name}.svg").read_text().startswith("<?xml")
    texts = [path for path in made if path.suffix == ".csv"]
    for path, table in zip(texts, spec.tables, strict=True):
        pd.testing.assert_frame_equal(pd.read_csv(path), tables[table], check_dtype=False)
    assert [path.name for path in made] == [path.name for path in again]
    for one, two in zip(made, again, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


def heights(drawn: Any) -> set[float]:
    """Every height at which data is drawn."""
    found: set[float] = set()
    for axes in drawn.axes:
        for line in axes.lines:
            found.update(np.asarray(line.get_ydata(), dtype=float).tolist())
        for band in axes.collections:
            if not isinstance(band, PolyCollection):  # a colour bar or a grid of cells, coloured and not drawn high
                continue
            found.update(*(path.vertices[:, 1].tolist() for path in band.get_paths()))
    return found


def test_a_figure_computes_nothing(figure: FigureSpec) -> None:
    """Every height is a number of the tables, or the axis."""
    numbers = {0.0}
    for name in figure.tables:
        numbers.update(tables_of(figure.claim)[name].select_dtypes("number").to_numpy(dtype=float).ravel().tolist())
    picture = draw(figure)
    drawn = heights(picture)
    assert len(drawn) > 2 or any(axes.get_label() == "<colorbar>" for axes in picture.axes)
    assert drawn <= numbers


@pytest.mark.parametrize(
    "claim", [pytest.param(claim, id=claim.id, marks=marks_of(claim.id)) for claim in CLAIMS if claim.digest]
)
def test_what_a_run_prints_is_tabulated(claim: Claim) -> None:
    for name, columns in claim.digest.items():
        table = tables_of(claim.id)[name]
        assert len(table)
        assert set(columns) <= set(table.columns)


def test_build_times_are_drawn_as_they_are() -> None:
    rows = [
        {
            "tokens": tokens,
            "num_drafts": count,
            "part": part,
            "ms": tokens * count / 7.0,
            "ns_per_token": place + count / 9.0,
        }
        for tokens in (1000, 32_000)
        for count in (2, 8)
        for place, part in enumerate(build_time._COLOURS)
    ]
    table = pd.DataFrame(rows)
    left, right = build_time.draw(table).axes
    drawn = {float(y) for axes in (left, right) for line in axes.lines for y in line.get_ydata()}
    assert drawn <= set(table["ms"]) | set(table["ns_per_token"])
    assert (len(left.lines), len(right.lines)) == (3, 6)


def test_growth_is_drawn_as_it_is() -> None:
    sizes = pd.DataFrame(
        {"work": work, "tokens": tokens, "sorts": tokens * place / 7.0}
        for place, work in enumerate(("one", "two"), start=1)
        for tokens in (1000, 32_000)
    )
    rows = pd.DataFrame({"work": "two", "rows": count, "seconds": count / 9.0} for count in (1, 4))
    left, right = growth.draw(sizes, rows).axes
    drawn = [float(y) for line in left.lines[:2] for y in line.get_ydata()]
    assert drawn == sizes["sorts"].tolist()
    assert right.lines[0].get_ydata().tolist() == pytest.approx((1e3 * rows["seconds"]).tolist())
    assert right.lines[0].get_color() == left.lines[1].get_color()


def test_axes_are_named(figure: FigureSpec) -> None:
    drawn = draw(figure)
    panels = [axes for axes in drawn.axes if axes.get_label() != "<colorbar>"]
    assert panels[0].get_ylabel()
    for axes in panels:
        assert any(mate.get_xlabel() for mate in axes.get_shared_x_axes().get_siblings(axes))
        coloured = axes.images or axes.collections  # explained by a colour bar
        assert axes.get_legend() is not None or drawn.legends or coloured


def test_legends_lie_on_no_data_and_no_text_is_cut(figure: FigureSpec) -> None:
    drawn = draw(figure)
    with styled():
        drawn.get_layout_engine().execute(drawn)
    shown = drawn.get_tightbbox()
    assert min(shown.x0, shown.y0) > -0.01
    assert (drawn.get_size_inches() - (shown.x1, shown.y1)).min() > -0.01
    legends = [*drawn.legends, *(axes.get_legend() for axes in drawn.axes if axes.get_legend() is not None)]
    for axes in drawn.axes:
        places = [line.get_transform().transform(line.get_xydata()) for line in axes.lines if len(line.get_xydata())]
        for x, y in (place for line in places for place in line if axes.bbox.contains(*place)):
            assert not any(legend.get_window_extent().contains(x, y) for legend in legends), (x, y)


def test_a_rule_looks_the_same_in_every_figure(figure: FigureSpec) -> None:
    names = {look.label: look for look in sorted(LOOKS.values(), key=lambda look: len(look.label))}
    for axes in draw(figure).axes:
        for line in axes.lines:
            known = [look for name, look in names.items() if str(line.get_label()).startswith(name)]
            if known:
                assert line.get_color() == known[-1].colour, line.get_label()


def test_an_optimum_is_seen_where_a_rule_reaches_it() -> None:
    (spec,) = (item for item in FIGURES if item.id == "figure.acceptance-synthetic")
    for axes in draw(spec).axes:
        optima = [line for line in axes.lines if str(line.get_label()).startswith("optimum")]
        others = [line for line in axes.lines if line not in optima]
        assert len(optima) == 2
        for line in optima:
            assert line.get_markerfacecolor() == "none"
            assert line.get_zorder() > max(other.get_zorder() for other in others)
            assert line.get_markersize() > max(other.get_markersize() for other in others)


def test_a_figure_that_cannot_be_saved_is_told_and_leaves_no_half_of_it(tmp_path: Path) -> None:
    (tmp_path / "name.pdf").mkdir()
    with pytest.raises(InvalidInput, match=r"cannot write .*name\.pdf"):
        save(new_figure(), tmp_path, "name", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["name.pdf", "name.png"]
