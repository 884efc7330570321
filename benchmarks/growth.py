"""How the work on a row grows with the vocabulary, and with rows beside it: in sorts of its ratios, in one run.

A regression is seen three ways: against what each work was known to take at V = 152,064, against ten times the time at
a tenth of the tokens, and a row among many against a row alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.timing import REGRESSION, Comparison, best, best_in_turns
from specproof.figures import growth as figure
from specproof.figures.style import save, styled
from specproof.simulations.claims.priority.hard_pairs import llm_shaped_pair
from specproof.theory.distribution import Array, as_pair
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers import VERIFIERS
from specproof.theory.verifiers.kseq.law import kseq
from specproof.theory.verifiers.priority import PriorityCoupling

SIZES = (1_000, 10_000, 100_000, 1_000_000)
KNOWN_AT = 152_064
"""The vocabulary at which it is known how many sorts each work takes."""

ROWS, ROW_SIZE = (1, 4, 16, 64), 49_152
MANY = 256
"""Rows of 152,064 float32 numbers that are worked on in one call, on all cores."""

SORT = "numpy.argsort of q/p"


class Work(NamedTuple):
    """Some work on rows of laws, shape (n, V)."""

    run: Callable[[Array, Array], object]
    sorts: float
    """So many sorts of the ratios it took at V = 152,064 when this was written."""


def _agreement(name: str, draft: Array, target: Array) -> object:
    rule = VERIFIERS[name].agreement_at
    assert rule is not None
    return rule(draft, target, np.argmax(target, axis=-1), 8)


COUNTS = np.arange(1, 17)
WORK = {
    "optimum, k = 4": Work(lambda draft, target: optimal_acceptance(draft, target, 4), 0.4),
    "optimum, k = 1..16": Work(lambda draft, target: optimal_acceptance(draft, target, COUNTS), 0.5),
    "K-SEQ, its law, k = 8": Work(lambda draft, target: kseq(draft, target, 8), 0.2),
    "K-SEQ, agreement, k = 1..8": Work(partial(_agreement, "kseq"), 0.3),
    "priority, k = 8": Work(lambda draft, target: PriorityCoupling(draft, target, 8), 2.8),
    "priority, k = 8, tolerance 1e-5": Work(lambda draft, target: PriorityCoupling(draft, target, 8, 1e-5), 0.9),
    "priority, agreement, k = 1..8": Work(partial(_agreement, "priority"), 0.9),
}
IN_ROWS = ("optimum, k = 4", "optimum, k = 1..16", "K-SEQ, its law, k = 8")
"""What is timed on stacks of rows."""


def compare(folder: Path | None = None) -> Iterator[Comparison]:
    """Time all work at all sizes and on stacks of rows, and draw it into a folder."""
    sizes, rows = by_size(), by_rows()
    if folder is not None:
        with styled():
            save(figure.draw(sizes, rows), folder, "growth", {"growth": sizes, "growth_rows": rows})
    yield from lines(sizes, rows)
    yield _many_rows()


def by_size() -> pd.DataFrame:
    """Seconds of each work on one row, with columns work, tokens, seconds and sorts."""
    table = []
    for tokens in sorted({*SIZES, KNOWN_AT}):
        draft, target = _rows(1, tokens)
        argsort = partial(np.argsort, (target / draft)[0])
        for name, work in WORK.items():
            repeats = 3 if tokens > KNOWN_AT else 7
            seconds, sort = best_in_turns([partial(work.run, draft, target), argsort], repeats)
            table.append({"work": name, "tokens": tokens, "seconds": seconds, "sorts": seconds / sort, "sort": sort})
    return pd.DataFrame(table)


def by_rows() -> pd.DataFrame:
    """Seconds a row of stacks of rows, with columns work, rows and seconds."""
    table = []
    for count in ROWS:
        draft, target = _rows(count, ROW_SIZE)
        for name in IN_ROWS:
            seconds = best(partial(WORK[name].run, draft, target), 3) / count
            table.append({"work": name, "rows": count, "seconds": seconds})
    return pd.DataFrame(table)


def lines(sizes: pd.DataFrame, rows: pd.DataFrame) -> Iterator[Comparison]:
    """Compare what was measured with what is known, with a tenth of the tokens, and with a row alone."""
    seconds = sizes.set_index(["work", "tokens"])
    for name, work in WORK.items():
        found = seconds.loc[(name, KNOWN_AT)]
        at = f"{name}, V = {KNOWN_AT:,}"
        yield Comparison(at, found["seconds"], found["sort"], SORT, 1.0 / (REGRESSION * work.sorts))
        tenth, whole = (float(seconds.loc[(name, tokens), "seconds"]) for tokens in SIZES[-2:])
        peer = "ten times a tenth of the tokens"
        yield Comparison(f"{name}, V = {SIZES[-1]:,}", whole, 10.0 * tenth, peer, 1.0 / REGRESSION)
    alone = rows[rows["rows"] == ROWS[0]].set_index("work")["seconds"]
    for name, found in rows[rows["rows"] == ROWS[-1]].set_index("work")["seconds"].items():
        what = f"{name}, V = {ROW_SIZE:,}, a row of {ROWS[-1]}"
        yield Comparison(what, found, float(alone[name]), "a row alone", 1.0 / REGRESSION)


def _rows(count: int, tokens: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(tokens)
    pairs = [llm_shaped_pair(rng, tokens) for _ in range(count)]
    draft, target = as_pair(*(np.stack(laws) for laws in zip(*pairs, strict=True)))
    return draft, target


def _many_rows() -> Comparison:
    """The optimum of many rows, on all cores; the sort is of one row on one core."""
    laws = _rows(1, KNOWN_AT)
    sort = best(partial(np.argsort, (laws[1] / laws[0])[0]))
    draft, target = (np.tile(law.astype(np.float32), (MANY, 1)) for law in laws)
    seconds = best(lambda: optimal_acceptance(draft, target, COUNTS), 1) / MANY
    what = f"optimum, k = 1..16, V = {KNOWN_AT:,}, a row of {MANY}, all cores"
    return Comparison(what, seconds, sort, SORT, 1.0 / (REGRESSION * 0.45))
