"""How often the kit alarms on correct samplers: ``python -m simulations.conformance.false_alarms``.

Checks of reduced size at a raised level, so that alarms would be frequent enough to count if the level were not kept.
Ville's inequality bounds the rate by the level; sharing the level among all tests and looking at few moments only keep
it well below.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import joblib

from simulations.conformance.check import Budget, check_sampler
from simulations.conformance.references import REFERENCES
from simulations.conformance.report import Verdict
from simulations.statistics import binomial_interval

SMALL = Budget(first=128, rounds=2, small=6, corner=32, seconds=600.0)
RAISED = 1e-2


def alarms(name: str, seeds: Sequence[int], level: float) -> int:
    """How many checks of a correct sampler, one for each seed, end in anything but "lossless"."""
    contract, sampler = REFERENCES[name]
    verdicts = [check_sampler(sampler, contract, level=level, seed=seed, budget=SMALL).verdict for seed in seeds]
    return sum(verdict != Verdict.LOSSLESS for verdict in verdicts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the checks and print the alarm rate with its 99% interval."""
    parser = argparse.ArgumentParser(prog="python -m simulations.conformance.false_alarms", description=main.__doc__)
    parser.add_argument("--checks", type=int, default=10_000, help="number of checks, all samplers together")
    parser.add_argument("--level", type=float, default=RAISED, help="false-alarm level of each check")
    parser.add_argument("--jobs", type=int, default=joblib.cpu_count(), help="worker processes")
    given = parser.parse_args(arguments)
    start, names = time.perf_counter(), list(REFERENCES)
    share = -(-given.checks // len(names))
    blocks = [(name, range(first, min(first + 50, share))) for name in names for first in range(0, share, 50)]
    counts = joblib.Parallel(n_jobs=given.jobs)(
        joblib.delayed(alarms)(name, seeds, given.level) for name, seeds in blocks
    )
    for name in names:
        _print(name, sum(count for count, block in zip(counts, blocks, strict=True) if block[0] == name), share)
    _print("all", sum(counts), share * len(names))
    print(f"stated level {given.level:g}; {time.perf_counter() - start:.0f} s")


def _print(name: str, count: int, checks: int) -> None:
    low, high = binomial_interval(count, checks, 0.01)
    print(f"{name:<18} {count:>5} alarms in {checks:,} checks: rate {count / checks:.5f} in [{low:.5f}, {high:.5f}]")


if __name__ == "__main__":
    main()
