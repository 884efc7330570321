"""The conformance kit: what it adds to a million trials of a sampler, drawing them, taking them apart and counting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.timing import REGRESSION, Comparison
from specproof.conformance import Budget, check_sampler
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.references import references

TRIALS, REPEATS = 1_000_000, 3
KNOWN = {"token by token": 0.7, "single": 0.35, "speculative loop": 6.5}
"""How much faster than the sampler the kit's part of a check is."""


def compare() -> Iterator[Comparison]:
    """Time whole checks of one vectorised sampler of each contract."""
    for name, known in KNOWN.items():
        contract, sampler = references()[name]
        added, own = min(_seconds(sampler, contract) for _ in range(REPEATS))
        yield Comparison(
            f"conformance kit, {contract}, a million trials", added, own, "the sampler itself", known / REGRESSION
        )


def _seconds(sampler: Callable[..., Any], contract: str) -> tuple[float, float]:
    """Seconds of processor time that a check spends outside the sampler and in it, for a million trials."""
    own = 0.0

    def timed(*arguments: Any) -> Any:
        nonlocal own
        start = time.thread_time()
        result = sampler(*arguments)
        own += time.thread_time() - start
        return result

    budget = Budget(first=TRIALS // len(ladder(contract)), rounds=1, small=1, degenerate=1, seconds=600.0)
    start = time.process_time()
    report = check_sampler(timed, contract, budget=budget)
    added, millions = time.process_time() - start - own, report.trials / TRIALS
    return added / millions, own / millions
