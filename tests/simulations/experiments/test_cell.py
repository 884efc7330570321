"""Cells: what identifies one, the stream it draws from, and the promises it is held to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from specproof.simulations.evidence import Method, from_check, within
from specproof.simulations.experiments.cell import (
    Cell,
    CellContext,
    Findings,
    join_tables,
    run_cell,
    stream,
    with_origin,
)
from specproof.simulations.statistics import Check
from specproof.theory.errors import InvalidInput


def first(context: CellContext, count: int = 1) -> Findings:
    return Findings(tables={"draws": [{"draw": float(value)} for value in context.rng.random(count)]})


def other(_: CellContext, count: int = 1) -> Findings:
    return Findings()


CELL = Cell("claim", "name", first, {"count": 2, "prompts": [{"text": "a"}]})


@pytest.mark.parametrize(
    "changed",
    [
        replace(CELL, claim="other"),
        replace(CELL, name="other"),
        replace(CELL, function=other),
        replace(CELL, parameters={"count": 3, "prompts": [{"text": "a"}]}),
        replace(CELL, parameters={"count": 2, "prompts": [{"text": "b"}]}),
        replace(CELL, needs=(CELL,)),
    ],
    ids=["claim", "name", "function", "size", "prompts", "needs"],
)
def test_whatever_decides_the_result_is_in_the_key(changed: Cell) -> None:
    assert changed.key(0, 1e-8, "code") != CELL.key(0, 1e-8, "code")


def test_the_key_depends_on_seed_level_and_code_and_on_nothing_else() -> None:
    settings = [(0, 1e-8, "code"), (1, 1e-8, "code"), (0, 1e-9, "code"), (0, 1e-8, "other code")]
    assert len({CELL.key(*setting) for setting in settings}) == len(settings)
    same = replace(CELL, parameters=dict(reversed(CELL.parameters.items())), tests=3, cost=9.0)
    assert same.key(0, 1e-8, "code") == CELL.key(0, 1e-8, "code")


def test_streams_repeat_by_seed_and_name_and_differ_otherwise() -> None:
    draws = {(seed, name): float(stream(seed, name).random()) for seed in (0, 1, 2**80) for name in ("a", "b", "")}
    assert len(set(draws.values())) == len(draws)
    assert all(float(stream(*key).random()) == draw for key, draw in draws.items())


def test_a_cell_draws_from_the_stream_of_its_id() -> None:
    found = run_cell(Cell("claim", "name", first, {"count": 3}), 7, 1e-8)
    expected = stream(7, "claim/name").random(3).tolist()
    assert [record["draw"] for record in found.tables["draws"]] == expected


def twice(context: CellContext, factor: int) -> Findings:
    return Findings(tables={"products": [{"product": factor * record["draw"]} for record in context.tables["draws"]]})


def test_a_cell_is_given_what_those_it_needs_tabulated_in_their_order() -> None:
    needs = tuple(Cell("claim", name, first, {"count": 2}) for name in ("b", "a"))
    needed = [run_cell(need, 7, 1e-8) for need in needs]
    found = run_cell(Cell("claim", "products", twice, {"factor": 2}, needs=needs), 7, 1e-8, needed)
    draws = [record["draw"] for part in needed for record in part.tables["draws"]]
    assert [record["product"] for record in found.tables["products"]] == [2 * draw for draw in draws]
    assert [len(part.tables["draws"]) for part in needed] == [2, 2]
    assert [record["draw"] for record in join_tables(needed)["draws"]] == draws


def test_whatever_decides_the_result_of_a_needed_cell_is_in_the_key() -> None:
    keys = {replace(CELL, needs=(Cell("claim", "x", first, {"count": n}),)).key(0, 1e-8, "code") for n in (1, 2)}
    assert len(keys) == 2


def threads(_: CellContext) -> Findings:
    np.ones((4, 4)) @ np.ones((4, 4))
    return Findings(tables={"pools": [{"threads": pool["num_threads"]} for pool in threadpool_info()]})


def test_a_cell_runs_on_one_thread() -> None:
    pools = run_cell(Cell("claim", "threads", threads), 0, 1e-8).tables["pools"]
    assert pools
    assert all(pool["threads"] == 1 for pool in pools)


def test_rows_are_labelled_with_where_they_come_from() -> None:
    row = within("x", exact=1.0, estimate=1.0, tolerance=0.0)
    labelled = with_origin(Findings([row]), "claim", "cell", 0, 7, 1.5).rows[0]
    assert labelled == replace(row, claim="claim", cell="cell", seed=7, seconds=1.5)


@pytest.mark.parametrize(("announced", "fits"), [(0, False), (1, False), (2, True), (3, True)])
def test_more_tests_than_announced_would_break_the_alarm_budget(announced: int, fits: bool) -> None:
    check = Check(0.5, 0.5, 0.4, 0.6, 10, 0.1)
    tests = [from_check("x", check, level=1e-8)] * 2
    free = [from_check("x", check, level=1e-8, method=Method.CONTROL), within("y", exact=0, estimate=0, tolerance=0)]
    findings = Findings(tests + free)
    if fits:
        assert len(with_origin(findings, "claim", "cell", announced, 0, 0.0).rows) == 4
        return
    with pytest.raises(InvalidInput, match=f"made 2 tests and announced {announced}"):
        with_origin(findings, "claim", "cell", announced, 0, 0.0)
