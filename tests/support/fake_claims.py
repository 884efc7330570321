"""Claims of our own making, quick and of known outcome, and the command that knows only them.

Importable by name in this process, in a new one and in its workers, which a test module is not. Where ``FAKE_HANG`` is
set no cell after the first few ends, without that being one of their parameters: a run can be stopped there however
slow the machine is, and another go on.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace

import specproof.simulations.claims.registry as registry
from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.evidence import Evidence, Method, from_check, within
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.statistics import check_mean
from specproof.theory.errors import InvalidInput

CELLS = 6
QUICK_CELLS = 2
"""Those of them that end whatever happens."""


def draw(context: CellContext, index: int) -> Findings:
    """One exact row, one statistical row, one control, and a table; all depend on the stream."""
    level = context.level
    while index >= QUICK_CELLS and "FAKE_HANG" in os.environ:
        time.sleep(0.1)  # not once for long: an interrupt just before would only be heard at its end
    values = context.rng.random(2000)
    exact = within("a number twice", exact=float(values[0]), estimate=float(values[0]), tolerance=0.0, index=index)
    mean = from_check("mean", check_mean(values, 0, 1, 0.5, level), level=level, resolution=0.5)
    wrong = from_check("wrong mean", check_mean(values, 0, 1, 0.0, level), level=level, method=Method.CONTROL)
    return Findings([exact, mean, wrong], {"draws": [{"index": index, "draw": float(values[1])}]})


def false_row(_: CellContext) -> Findings:
    """A claim that is wrong."""
    return Findings([within("one is two", exact=2.0, estimate=1.0, tolerance=0.5)])


def numbers(_: CellContext) -> Findings:
    """A claim that holds."""
    return Findings([_one(Method.IDENTITY)])


def tame_control(_: CellContext) -> Findings:
    """A claim that holds, and a control that nothing is wrong with."""
    return Findings([_one(Method.IDENTITY), _one(Method.CONTROL)])


def scarce_control(context: CellContext) -> Findings:
    """A claim that holds, and a control on three numbers: at a level this small they can refute nothing."""
    check = check_mean(context.rng.random(3), 0, 1, 0.0, context.level)
    wrong = from_check("wrong mean", check, level=context.level, resolution=0.5, method=Method.CONTROL)
    return Findings([_one(Method.IDENTITY), wrong])


def refuse(_: CellContext) -> Findings:
    """What a user can cause, found out by a worker."""
    raise InvalidInput("the model is broken: choose another")


def die(_: CellContext) -> Findings:
    """The worker is killed, as for want of memory."""
    os.kill(os.getpid(), 9)
    raise AssertionError("unreachable")


def echo(context: CellContext) -> Findings:
    """What it is given, again."""
    return Findings(tables=context.tables)


def _one(method: Method) -> Evidence:
    return within("one is one", exact=1.0, estimate=1.0, tolerance=0.0, method=method)


def _sleepy(settings: Settings) -> list[Cell]:
    return [Cell("fake.sleepy", f"draw-{index}", draw, {"index": index}, tests=1) for index in range(CELLS)]


def _alone(name: str, function: object) -> Claim:
    return Claim(f"fake.{name}", "no paper", "Nothing.", lambda _: [Cell(f"fake.{name}", "only", function)])  # type: ignore[arg-type]


def _beside(name: str, function: object) -> Claim:
    cells = [Cell(f"fake.{name}", "bad", function, cost=2), Cell(f"fake.{name}", "good", tame_control)]  # type: ignore[arg-type]
    return Claim(f"fake.{name}", "no paper", "Nothing.", lambda _: cells)


CLAIMS = (
    Claim("fake.sleepy", "no paper", "Numbers are drawn.", _sleepy),
    _alone("refuted", false_row),
    _alone("tame", tame_control),
    _alone("scarce", scarce_control),
    _beside("refused", refuse),
    _beside("died", die),
    replace(_alone("noted", numbers), note="on other models than the paper's: see specproof [models]"),
)


def main() -> None:
    """Run ``specproof`` with these claims."""
    registry.CLAIMS = CLAIMS
    from specproof.cli import main as command

    command()
