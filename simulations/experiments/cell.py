"""A cell: one independent piece of an experiment, a pure function of its parameters and its own random stream."""

from __future__ import annotations

import hashlib
import json
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from specproof.simulations.evidence import Evidence, Method
from specproof.theory.errors import InvalidInput

Records = list[dict[str, Any]]
"""Rows of a table, ready to be written as JSON."""


@dataclass(frozen=True)
class Findings:
    """What a cell returns: rows of evidence, and tables of raw observations by name.

    Examples
    --------
    >>> from specproof.claims import Findings, within
    >>> rows = [within("acceptance", exact=0.75, estimate=0.75, tolerance=1e-12)]
    >>> findings = Findings(rows, {"raw": [{"trial": 0}]})
    >>> len(findings.rows), list(findings.tables)
    (1, ['raw'])
    """

    rows: list[Evidence] = field(default_factory=list)
    tables: Mapping[str, Records] = field(default_factory=dict)


@dataclass(frozen=True)
class CellContext:
    """What a cell is handed to work with, besides its parameters.

    Attributes
    ----------
    rng : numpy Generator
        The cell's own random stream.
    level : float
        False-alarm level of each statistical test.
    tables : mapping
        The tables of the cells that it needs, by name, their rows joined; for the conclusion of a claim those of all
        the claim's cells.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof.claims import CellContext
    >>> context = CellContext(np.random.default_rng(0), level=1e-6)
    >>> context.level, dict(context.tables)
    (1e-06, {})
    """

    rng: np.random.Generator
    level: float
    tables: Mapping[str, Records] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One piece of work, independent of all others but those it needs.

    Attributes
    ----------
    claim : str
        Id of the claim that its rows bear on.
    name : str
        Unique within the claim.
    function : callable
        ``function(context, **parameters) -> Findings`` with a :class:`CellContext`, defined at the top of a module so
        that worker processes can import it.
    parameters : mapping
        JSON values only; with the seed they determine the result.
    tests : int
        The most statistical tests it makes, each at ``level``; controls do not count.
    cost : float
        Rough seconds on one core: the dearest cells start first.
    needs : tuple of Cell
        Cells whose tables it goes on from; they are run, and kept, before it starts.

    Examples
    --------
    >>> from specproof.claims import Cell, Findings, within
    >>> def nothing(context, number):
    ...     return Findings([within("number", exact=1.0, estimate=number, tolerance=0.0)])
    >>> cell = Cell("my.claim", "one", nothing, {"number": 1.0})
    >>> cell.id
    'my.claim/one'
    """

    claim: str
    name: str
    function: Callable[..., Findings]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tests: int = 0
    cost: float = 1.0
    needs: tuple[Cell, ...] = ()

    @property
    def id(self) -> str:
        """Claim and name, the cell's address in a run."""
        return f"{self.claim}/{self.name}"

    def key(self, seed: int, level: float, fingerprint: str) -> str:
        """Digest of all that the result depends on, to recognise a finished cell by."""
        function = f"{self.function.__module__}.{self.function.__qualname__}"
        needs = [need.key(seed, level, fingerprint) for need in self.needs]
        parts = [self.id, function, dict(self.parameters), needs, seed, level, fingerprint]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def stream(seed: int, name: str) -> np.random.Generator:
    """Derive an independent generator from the root seed by name, so that no cell depends on which others run."""
    words = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype=np.uint32)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(int(word) for word in words)))


def join_tables(parts: Iterable[Findings]) -> dict[str, Records]:
    """Put the rows of all tables of one name together, in the order of the parts."""
    tables: dict[str, Records] = {}
    for part in parts:
        for name, records in part.tables.items():
            tables.setdefault(name, []).extend(records)
    return tables


def run_cell(cell: Cell, seed: int, level: float, needed: Iterable[Findings] = ()) -> Findings:
    """Run one cell on one thread (a sum over threads would depend on how many there are) and label its rows.

    Examples
    --------
    >>> from specproof.claims import Cell, Findings, run_cell, within
    >>> def one(context):
    ...     return Findings([within("one", exact=1.0, estimate=1.0, tolerance=0.0)])
    >>> [str(row.verdict) for row in run_cell(Cell("my.claim", "one", one), seed=0, level=1e-6).rows]
    ['holds']
    """
    start = time.perf_counter()
    context = CellContext(stream(seed, cell.id), level, join_tables(needed))
    with threadpool_limits(limits=1):
        findings = call_cell(cell.id, partial(cell.function, context, **cell.parameters))
    return with_origin(findings, cell.claim, cell.name, cell.tests, seed, time.perf_counter() - start)


def call_cell(name: str, function: partial[Findings]) -> Findings:
    """Call what a cell or a conclusion does; what goes wrong in a person's own code is told in one line.

    Raises
    ------
    InvalidInput
        If the function is not of this package and raises anything.
    """
    try:
        return function()
    except InvalidInput:
        raise
    except Exception as error:
        if function.func.__module__.startswith("specproof."):
            raise
        frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
        message = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise InvalidInput(
            f"{name} failed ({message} at {frame.f_code.co_filename}:{line}): call its function in Python to see why"
        ) from error


def with_origin(findings: Findings, claim: str, cell: str, tests: int, seed: int, seconds: float) -> Findings:
    """Fill in where rows come from, and hold their maker to the number of tests it announced.

    Raises
    ------
    InvalidInput
        If it returned something else than findings, or made more tests than announced.
    """
    if not isinstance(findings, Findings):
        raise InvalidInput(f"{claim}/{cell} returned a {type(findings).__name__}: return Findings(rows, tables)")
    made = sum(row.level > 0 and row.method != Method.CONTROL for row in findings.rows)
    if made > tests:
        raise InvalidInput(
            f"{claim}/{cell} made {made} tests and announced {tests}, so that the run's level would not hold: announce "
            "as many with Cell(tests=...) or, for a conclusion, Claim(conclusions=...)"
        )
    rows = [replace(row, claim=claim, cell=cell, seed=seed, seconds=seconds) for row in findings.rows]
    return Findings(rows, findings.tables)
