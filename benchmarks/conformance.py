"""The conformance kit: what it adds to a million trials of a sampler, drawing them, taking them apart and counting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.timing import Comparison
from specproof.conformance import Budget, check_sampler
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.references import references

TRIALS, REPEATS = 1_000_000, 3
FLOOR = 2e6
"""Trials a second asked for, the sampler's own time left out."""


def compare() -> Iterator[Comparison]:
    """Time whole checks of one vectorised sampler of each contract."""
    for name in ("token by token", "single", "speculative loop"):
        contract, sampler = references()[name]
        seconds = min(_added(sampler, contract) for _ in range(REPEATS))
        what = f"conformance kit, {contract}, a million trials, without the sampler"
        yield Comparison(what, seconds, TRIALS / FLOOR, "floor of 2 million trials a second", 1.0)


def _added(sampler: Callable[..., Any], contract: str) -> float:
    """Seconds of processor time that a check spends outside the sampler, for a million trials."""
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
    return (time.process_time() - start - own) / report.trials * TRIALS
