"""The benchmarks start, and what they measure is right on one tiny size."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks import __main__ as everything
from benchmarks import growth, stops, traces
from benchmarks.__main__ import report
from benchmarks.max_flow import network, push_relabel_apart
from benchmarks.optimum import LINEAR_PROGRAMS, MAXIMUM_FLOW
from benchmarks.timing import REGRESSION, Comparison, best
from specproof.simulations.traces.position_columns import traced_verifiers
from specproof.simulations.traces.pricing import price
from specproof.theory.distribution import dirichlet
from specproof.theory.transport import DraftSets, optimal_acceptance


@pytest.mark.parametrize(
    "name",
    [
        *("optimum", "priority", "kseq", "samplers", "blocks", "rejections", "sequences", "layers", "traces"),
        *("one_row", "conformance", "growth"),
    ],
)
def test_every_benchmark_compares(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert isinstance(module.compare(), Iterator)  # nothing runs before it is asked for


def test_traces_are_priced_and_captured_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a tiny size: every verifier, all numbers of drafts, lengths beyond 8."""
    for name, size in (("VOCABULARY", 40), ("LARGEST", 50), ("POSITIONS", 52), ("ROWS", 30)):
        monkeypatch.setattr(traces, name, size)
    priced: list[int] = []
    monkeypatch.setattr(traces, "price", lambda trace, asked: priced.append(len(price(trace, asked).configurations)))
    lines = list(traces.compare())
    assert [0.0 < line.ours < line.theirs for line in lines] == [True, True]
    several = len(traced_verifiers()) + 1  # distinct drafts are one more
    assert priced[0] == len(traces.LENGTHS) * (4 + several * (traces.NUM_DRAFTS - 1))


def test_a_ratio_is_how_many_times_faster() -> None:
    assert Comparison("what", ours=2.0, theirs=6.0, peer="peer", least=1.0).ratio == 3.0
    calls: list[int] = []
    assert best(lambda: calls.append(1), repeats=3) >= 0.0
    assert len(calls) == 4


def measured(slower: dict[tuple[str, str], float]) -> list[Comparison]:
    """The lines of the growth benchmark where all takes as long as is known, but for what is slower by a factor."""
    sizes = pd.DataFrame(
        {
            "work": name,
            "tokens": tokens,
            "seconds": work.sorts * tokens * slower.get((name, str(tokens)), 1.0),
            "sort": float(tokens),
        }
        for name, work in growth.WORK.items()
        for tokens in (*growth.SIZES, growth.KNOWN_AT)
    )
    rows = pd.DataFrame(
        {"work": name, "rows": count, "seconds": slower.get((name, f"{count} rows"), 1.0)}
        for name in growth.IN_ROWS
        for count in growth.ROWS
    )
    return list(growth.lines(sizes, rows))


@pytest.mark.parametrize("where", [str(growth.KNOWN_AT), str(growth.SIZES[-1]), f"{growth.ROWS[-1]} rows"])
def test_a_regression_by_the_stated_factor_fails_the_benchmarks(where: str) -> None:
    name = growth.IN_ROWS[0]
    assert report(measured({})) == 0
    assert report(measured({(name, where): 0.9 * REGRESSION})) == 0
    slow = measured({(name, where): 1.1 * REGRESSION})
    assert report(slow) == 1
    assert {line.what.split(", V")[0] for line in slow if line.falls_short} == {name}


@pytest.mark.slow
def test_growth_is_measured_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "SIZES", (10, 100))
    monkeypatch.setattr(growth, "KNOWN_AT", 50)
    monkeypatch.setattr(growth, "ROW_SIZE", 20)
    monkeypatch.setattr(growth, "MANY", 2)
    found = list(growth.compare())
    assert len(found) == 2 * len(growth.WORK) + len(growth.IN_ROWS) + 1
    assert all(line.ours > 0 for line in found)


@pytest.mark.parametrize(("tokens", "num_drafts"), [(12, 3), (60, 2)])
def test_a_maximum_flow_agrees(tokens: int, num_drafts: int) -> None:
    """OR-Tools, in integers: probabilities are rounded to 2^-50, each arc by half of it."""
    rng = np.random.default_rng(tokens)
    draft, target = dirichlet(tokens, 1.0, rng), dirichlet(tokens, 1.0, rng)
    arcs = network(DraftSets.iid(draft, num_drafts), target)
    flow, seconds = push_relabel_apart(arcs)
    optimum = float(optimal_acceptance(draft, target, num_drafts))
    assert flow == pytest.approx(optimum, abs=arcs.capacities.size * 2.0**-51)
    assert seconds > 0


@pytest.mark.parametrize("name", LINEAR_PROGRAMS)
def test_peers_solve_the_same_program(name: str) -> None:
    rng = np.random.default_rng(0)
    draft, target = dirichlet(5, 1.0, rng), dirichlet(5, 1.0, rng)
    found = LINEAR_PROGRAMS[name](DraftSets.iid(draft, 2), target)
    assert found == pytest.approx(float(optimal_acceptance(draft, target, 2)), abs=1e-6)


@pytest.mark.parametrize(
    "name", [name for name in stops.ROUTES if name != MAXIMUM_FLOW]
)  # that one gets a process of its own, as above
def test_every_route_is_measured(name: str) -> None:
    outcome = stops.measure(name, (4, 2), before=0.0)
    assert outcome.stopped == ""
    assert float(outcome.seconds) >= 0.0


def test_what_is_refused_says_why() -> None:
    outcome = stops.measure("HiGHS on the sparse program", (2000, 2), before=0.0)
    assert outcome.stopped.startswith("refused: the plan for num_drafts 2 has up to 4,000,000 variables")


def test_a_route_goes_on_to_its_last_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A size that is too much ends the process, and the last is still tried in another."""
    solved, stopped = stops.Outcome("", "1", "1", ""), stops.Outcome("", "> 20", "", "time limit")
    refused = stops.Outcome("", "0", "", "refused: too large")
    runs = iter([[solved, stopped], [refused]])
    monkeypatch.setattr(stops, "_run", lambda *_: iter(next(runs)))
    sizes = ((2, 1), (3, 1), (4, 1), (5, 1))
    found = list(stops.outcomes("any", sizes))
    assert found == [((2, 1), solved), ((3, 1), stopped), ((5, 1), refused)]


@pytest.mark.slow
def test_one_route_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "all sets of tokens"
    route = stops.ROUTES[name]._replace(sizes=((3, 2), (23, 2)))
    monkeypatch.setattr(stops, "ROUTES", {name: route})
    printed = io.StringIO()
    Console(width=300, file=printed).print(stops.table())
    text = printed.getvalue()
    assert "why it stopped" in text
    assert "refused: target has 23 tokens" in text


def test_help_teaches_and_runs_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(everything, "main", lambda: pytest.fail("the benchmarks began"))
    for words, code in ((["--help"], 0), (["kseq"], 2)):
        with pytest.raises(SystemExit) as ended:
            everything.command(words)
        assert ended.value.code == code
        assert "usage: python -m benchmarks" in "".join(capsys.readouterr())
