"""Running cells: one result for any number of workers, nothing run twice, and workers that hear no interrupts."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_claims import echo

from specproof.simulations.claims.spectr2023 import kseq_valid, maximal_coupling
from specproof.simulations.claims.yin2024 import theorem1, theorem5
from specproof.simulations.experiments import workers
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.experiments.cell_runner import run_cells
from specproof.simulations.experiments.store import Store
from specproof.theory.errors import InvalidInput

LEVEL = 1e-9

CELLS = [
    Cell("a", "line", theorem5.line, {"instances": 3}),
    Cell("a", "enumeration", theorem1.enumeration, {"instances": 3}, cost=2),
    Cell("b", "exact", kseq_valid.exact, {"instances": 2}),
    Cell("b", "exact-1", maximal_coupling.exact, {"instances": 3}, cost=3),
    Cell("b", "simulation", maximal_coupling.simulation, {"trials": 2000}, tests=99, cost=4),
]
"""Of the package, so that workers can import their functions."""


@pytest.fixture
def open_store(tmp_path: Path) -> Callable[..., Store]:
    def open_one(name: str = "cells") -> Store:
        return Store(tmp_path / name, lambda cell: cell.key(5, LEVEL, ""))

    return open_one


@pytest.fixture
def no_dead_client() -> Iterator[None]:
    """Collect a Dask client that never connected: left to chance, that can lock up the start of the next one."""
    yield
    gc.collect()


def timeless(found: list[Findings]) -> list[Findings]:
    return [Findings([replace(row, seconds=0.0) for row in part.rows], part.tables) for part in found]


@pytest.mark.slow
def test_two_workers_find_what_one_finds(open_store: Callable[..., Store]) -> None:
    announced: list[str] = []
    one = run_cells(CELLS, 5, LEVEL, open_store("one"))
    two = run_cells(CELLS, 5, LEVEL, open_store("two"), jobs=2, announce=lambda cell: announced.append(cell.id))
    assert timeless(one) == timeless(two)
    assert sorted(announced) == sorted(cell.id for cell in CELLS)
    assert [part.rows[0].cell for part in one] == [cell.name for cell in CELLS]


@pytest.mark.slow
def test_a_cluster_finds_what_one_finds(open_store: Callable[..., Store]) -> None:
    distributed = pytest.importorskip("distributed")
    one = run_cells(CELLS, 5, LEVEL, open_store("one"))
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        many = run_cells(CELLS, 5, LEVEL, open_store("many"), scheduler=cluster.scheduler_address)
    assert timeless(one) == timeless(many)


def counted(calls: list[int]) -> Callable[..., Findings]:
    def function(context: CellContext, index: int) -> Findings:
        calls.append(index)
        return Findings(tables={"draws": [{"draw": float(context.rng.random())}]})

    return function


def test_the_dearest_go_first_and_results_keep_the_order_of_the_cells(open_store: Callable[..., Store]) -> None:
    calls: list[int] = []
    cells = [Cell("a", str(i), counted(calls), {"index": i}, cost=cost) for i, cost in enumerate([1, 3, 2, 3])]
    found = run_cells(cells, 5, LEVEL, open_store())
    assert calls == [1, 3, 2, 0]
    assert found == [open_store().load(cell) for cell in cells]


def test_finished_cells_are_announced_and_not_run_again(open_store: Callable[..., Store]) -> None:
    calls: list[int] = []
    announced: list[str] = []
    cells = [Cell("a", str(i), counted(calls), {"index": i}) for i in range(4)]
    whole = run_cells(cells, 5, LEVEL, open_store("whole"))
    run_cells(cells[1:3], 5, LEVEL, open_store())
    calls.clear()
    again = run_cells(cells, 5, LEVEL, open_store(), announce=lambda cell: announced.append(cell.name))
    assert calls == [0, 3]
    assert announced == ["1", "2", "0", "3"]
    assert again == whole


def total(context: CellContext) -> Findings:
    return Findings(tables={"totals": [{"total": sum(record["draw"] for record in context.tables["draws"])}]})


def refuse(_: CellContext) -> Findings:
    raise InvalidInput("the judge is broken")


def test_a_cell_waits_for_those_it_needs_however_dear(open_store: Callable[..., Store]) -> None:
    draws = [Cell("a", str(i), counted([]), {"index": i}) for i in range(3)]
    both = Cell("a", "both", total, needs=(draws[0], draws[2]), cost=9)
    announced: list[str] = []
    found = run_cells([both, *draws], 5, LEVEL, open_store(), announce=lambda cell: announced.append(cell.name))
    assert announced == ["0", "1", "2", "both"]
    expected = sum(found[1 + i].tables["draws"][0]["draw"] for i in (0, 2))
    assert found[0].tables["totals"] == [{"total": expected}]


def test_two_workers_pass_on_what_one_needs_of_another(open_store: Callable[..., Store]) -> None:
    sweep = Cell("b", "sweep", theorem5.sweep)
    echoes = [Cell("b", f"echo-{index}", echo, needs=(sweep,)) for index in range(2)]
    one = run_cells([*echoes, sweep], 5, LEVEL, open_store("one"))
    two = run_cells([*echoes, sweep], 5, LEVEL, open_store("two"), jobs=2)
    assert timeless(one) == timeless(two)
    assert one[0].tables == one[2].tables != {}


def test_what_a_failing_cell_needed_is_kept(open_store: Callable[..., Store]) -> None:
    calls: list[int] = []
    draws = [Cell("a", str(i), counted(calls), {"index": i}) for i in range(2)]
    for function in (refuse, refuse, total):
        cells = [*draws, Cell("a", "last", function, needs=tuple(draws))]
        if function is refuse:
            with pytest.raises(InvalidInput, match="the judge is broken"):
                run_cells(cells, 5, LEVEL, open_store())
        else:
            assert len(run_cells(cells, 5, LEVEL, open_store())) == 3
    assert calls == [0, 1]


def test_a_need_that_is_not_to_be_run_is_refused(open_store: Callable[..., Store]) -> None:
    draw = Cell("a", "draw", counted([]), {"index": 0})
    with pytest.raises(AssertionError, match="a/last needs a cell that is not among"):
        run_cells([Cell("a", "last", total, needs=(draw,))], 5, LEVEL, open_store())


def test_a_damaged_cell_is_run_again(open_store: Callable[..., Store]) -> None:
    calls: list[int] = []
    cells = [Cell("a", str(i), counted(calls), {"index": i}) for i in range(3)]
    whole = run_cells(cells, 5, LEVEL, open_store())
    (damaged,) = open_store().folder.rglob("1-*.json")
    damaged.write_bytes(damaged.read_bytes()[:-9])
    calls.clear()
    assert run_cells(cells, 5, LEVEL, open_store()) == whole
    assert calls == [1]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_cell_that_cannot_be_kept_ends_the_run_without_further_words(
    open_store: Callable[..., Store],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    jobs: int,
) -> None:
    saved: list[Cell] = []

    def save(self: Store, cell: Cell, findings: Findings) -> None:
        if saved:
            raise InvalidInput("the disk is full")
        saved.append(cell)

    monkeypatch.setattr(Store, "save", save)
    many = [Cell("a", f"sweep-{index}", theorem5.sweep) for index in range(20)]
    with pytest.raises(InvalidInput, match="the disk is full"):
        run_cells(many, 5, LEVEL, open_store(), jobs=jobs)
    assert capfd.readouterr() == ("", "")


def test_nothing_to_run_starts_no_worker(open_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.joblib, "Parallel", None)
    assert run_cells([], 5, LEVEL, open_store(), jobs=4, scheduler="tcp://nowhere:1") == []


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("after", [False, True])
def test_an_interrupt_waits_until_a_cell_is_kept_and_announced(
    open_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch, jobs: int, after: bool
) -> None:
    """Whether it comes before the file is there or after."""
    keep, store, announced = Store.save, open_store(), []

    def save(self: Store, cell: Cell, findings: Findings) -> None:
        if after:
            keep(self, cell, findings)
        signal.raise_signal(signal.SIGINT)
        if not after:
            keep(self, cell, findings)

    monkeypatch.setattr(Store, "save", save)
    with pytest.raises(KeyboardInterrupt):
        run_cells(CELLS, 5, LEVEL, store, jobs=jobs, announce=announced.append)
    assert len(announced) == 1
    assert [cell for cell in CELLS if store.load(cell)] == announced


@pytest.mark.usefixtures("interruptible")
def test_what_is_started_deaf_hears_no_interrupt() -> None:
    code = "import signal, sys; sys.exit(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"
    before = signal.getsignal(signal.SIGINT)
    with workers._deaf_to_interrupts():
        deaf = subprocess.run([sys.executable, "-S", "-c", code], check=False).returncode
    assert deaf == 1
    assert signal.getsignal(signal.SIGINT) == before
    assert subprocess.run([sys.executable, "-S", "-c", code], check=False).returncode == 0


def test_a_scheduler_that_does_not_answer(
    open_store: Callable[..., Store],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    no_dead_client: None,
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "PATIENCE", 0.3)
    with pytest.raises(InvalidInput, match=r"scheduler tcp://127.0.0.1:1 does not answer .*give the address"):
        run_cells(CELLS, 5, LEVEL, open_store(), scheduler="tcp://127.0.0.1:1")
    assert capfd.readouterr() == ("", "")


def test_a_scheduler_without_the_extra(open_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InvalidInput, match=r"pip install 'specproof\[cluster\]'"):
        run_cells(CELLS, 5, LEVEL, open_store(), scheduler="tcp://127.0.0.1:1")


def test_a_semaphore_that_an_interrupt_left_behind_is_not_talked_about() -> None:
    """What loky's tracker would say at the end of one that was registered and is gone, as after an interrupt."""
    script = (
        "import os\n"
        "from specproof.simulations.experiments import workers\n"
        "with workers._workers(2, None):\n"
        "    from joblib.externals.loky.backend import resource_tracker\n"
        "    resource_tracker.register('/loky-of-a-test', 'semlock')\n"
        "assert 'resource_tracker' not in os.environ.get('PYTHONWARNINGS', '')\n"
        "os._exit(0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
