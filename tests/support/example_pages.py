"""Small pages of each kind, made once a process: a run with a surprise, a plan, and the check of a broken sampler."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from traced_chains import traced

from specproof.claims import Claim, Evidence, FigureSpec, Method, from_check, new_figure, within
from specproof.conformance import ChainProblem, Contract, Detector, Finding, Report, Verdict
from specproof.conformance.report.check_result import SHRUNK, Acceptance, Diagnosis, Instance
from specproof.report.check_page import check_page
from specproof.report.plan_page import plan_page
from specproof.report.run_page import run_page
from specproof.simulations.claims.conclusion import ClaimFindings
from specproof.simulations.statistics import Check
from specproof.theory.chain import TabularModel, random_markov_pair
from specproof.traces import CostRatio, Plan, Trace, asked_configurations, make_plan, price

HOSTILE = '<script>window.hurt = 1</script><img src=x onerror="window.hurt = 1">\'"&amp;'
"""What a name must not do."""

MANIFEST: dict[str, Any] = {
    "started": "2026-01-01T00:00:00+00:00",
    "seconds": 1.5,
    "settings": {
        "scale": "quick",
        "seed": 7,
        "pair": "rtn:4",
        "device": "cpu",
        "prompts": [],
        "draft_length": 4,
        "scorer": "likelihood",
    },
    "family_level": 1e-6,
    "test_level": 1e-8,
    "tests": {"registered": 100, "own": 0},
    "own": [],
    "jobs": 1,
    "claims": {"a.first": "refuted", "b.second": "inconclusive"},
    "figures": ["figures/line.png", "figures/line.svg"],
    "python": "3.11",
    "platform": "a machine",
    "packages": {"numpy": "2.0", "torch": None},
    "git": None,
}


def draw(table: pd.DataFrame) -> Any:
    """Draw a line."""
    figure = new_figure()
    axes = figure.subplots()
    axes.plot(table["x"], table["y"], color="#000000")
    axes.set_title(HOSTILE)
    return figure


FIGURE = FigureSpec("figure.line", "our notes", "A line.", "a.first", ("line",), draw)


def statistical(quantity: str, exact: float, detectable: float, method: Method = Method.SIMULATION) -> Evidence:
    """A row of 100 trials that is refuted where 0.5 is far off, and inconclusive where 0.1 would not be seen."""
    check = Check(exact, estimate=0.5, low=0.4, high=0.6, trials=100, detectable=detectable)
    return from_check(quantity, check, level=1e-8, resolution=0.1, method=method, states=3)


def findings() -> list[ClaimFindings]:
    """Two claims: one that something speaks against, and one that is undecided."""
    first = [
        within("exact", exact=1.0, estimate=1.0, tolerance=0.0, horizon="1..4"),
        within("another exact", exact=2.0, estimate=1.0, tolerance=0.0),
        statistical("mean", 0.5, 0.01),
        statistical("broken mean", 0.0, 0.01, Method.CONTROL),
    ]
    second = [statistical("scarce", 0.5, 0.3), statistical(f"scarce control {HOSTILE}", 0.5, 0.3, Method.CONTROL)]
    claims = (
        Claim("a.first", "a paper", "One is one.", lambda _: [], formula=r"\alpha^* = 1", note="A note."),
        Claim("b.second", f"a paper {HOSTILE}", f"Two is {HOSTILE}.", lambda _: [], formula=r"\text{" + HOSTILE + "}"),
    )
    return [
        ClaimFindings(claim, labelled(claim.id, rows), {}) for claim, rows in zip(claims, (first, second), strict=True)
    ]


def labelled(claim: str, rows: Sequence[Evidence]) -> list[Evidence]:
    """Say where rows come from."""
    return [replace(row, claim=claim, cell="only", seed=7) for row in rows]


def run(folder: Path) -> str:
    """The page of a run, whose figure lies in a folder."""
    tables = {"a.first": {"line": pd.DataFrame({"x": range(300), "y": np.sqrt(range(300))})}, "b.second": {}}
    FIGURE.make(tables["a.first"], folder / "figures")
    return run_page(findings(), [FIGURE], tables, MANIFEST, folder)


@functools.cache
def planned() -> tuple[Trace, Plan]:
    """A trace of two chains and a plan from it."""
    trace = traced(*random_markov_pair(3, 2, np.random.default_rng(5), stationary=True), texts=4, length=30)
    prices = price(trace, asked_configurations(trace, num_drafts=[2], lengths=[1, 2]))
    return trace, make_plan(prices, CostRatio(0.05))


def plan() -> str:
    """The page of a plan."""
    trace, made = planned()
    return plan_page(made, trace.header, ["specproof", "plan", "a trace.parquet", "--cost", "0.05"])


def checked() -> Report:
    """The report on a broken sampler, as a check would have made it."""
    problem = ChainProblem(TabularModel([[0.5, 0.5]]), TabularModel([[0.25, 0.75], [[0.5, 0.5], [1.0, 0.0]]]))
    expected, observed = {"0 1": 0.125, "1 0": 0.75}, {"0 1": 0.25, "1 0": 0.5}
    return Report(
        subject="my_engine/sampler.py:verify",
        contract=Contract.CHAIN,
        verdict=Verdict.BIASED,
        findings=(Finding(Verdict.BIASED, Detector.LAW, "two tokens", "the law is not the target's"),),
        notes=("it prints",),
        instance=Instance(problem, SHRUNK, 4000, expected, observed, 0.25),
        acceptance=(Acceptance("two tokens", 0.9, 0.85, 0.95, 0.75, 4000),),
        diagnosis=Diagnosis("always", "every draft is accepted", 30.0, ("never",), 8),
        detectable_bias=0.03,
        hardest="two tokens",
        detectable_bias_in_small_batches={"1": 0.5, "2": math.inf},
        level=1e-6,
        trials=12_000,
        calls=30,
    )


def check() -> str:
    """The page of a check."""
    return check_page(checked())
