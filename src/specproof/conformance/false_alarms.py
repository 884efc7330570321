"""How often the kit alarms on correct samplers: ``python -m specproof.conformance.false_alarms``.

``--budget small``: checks of reduced size at a raised level, so that alarms would be frequent enough to count if the
level were not kept. Ville's inequality bounds the rate by the level; sharing the level among all tests and looking at
few moments only keep it well below; time limits are out of reach, so that what is printed depends on the seeds and on
nothing else. ``--budget default``: checks as they are by default, among them those of samplers that only look
defective; not one alarm is expected. Their ten seconds are the processor's, as on a core of one's own; how long a call
may hang is not, so that a process that stands still can count as an alarm. What each alarm said is printed.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
from rich.console import Console
from rich.progress import track

from specproof.conformance.arguments import DEFAULT, LEVEL, Budget, check_level
from specproof.conformance.checking import check_sampler
from specproof.conformance.contract import Contract
from specproof.conformance.defects import LOOKALIKES
from specproof.conformance.processor_clock import processor_as_clock
from specproof.conformance.references import references
from specproof.conformance.report.finding import Verdict
from specproof.conformance.subject.sampler_under_test import Sampler
from specproof.simulations.statistics import binomial_interval
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer


@dataclass(frozen=True)
class Experiment:
    """Checks of correct samplers: contract and function by name, spread evenly over the samplers."""

    budget: Budget
    checks: int
    level: float
    samplers: Mapping[str, tuple[Contract, Sampler]]
    block: int
    """A worker does so many checks before it reports."""


EXPERIMENTS = {
    "small": Experiment(
        Budget(first=256, rounds=2, small=6, degenerate=32, seconds=600.0), 10_000, 1e-2, references(), block=50
    ),
    "default": Experiment(
        DEFAULT,
        1000,
        LEVEL,
        {**references(), **{f"look-alike: {entry.name}": (entry.contract, entry.sampler) for entry in LOOKALIKES}},
        block=1,
    ),
}

Block = tuple[str, int, int]
"""A sampler's name, the first seed, and one past the last."""
Alarms = list[str]
"""The seed of each check that found something wrong, its verdict and what it said."""


def alarms(budget: str, level: float, block: Block) -> Alarms:
    """What checks of a correct sampler, one for each seed, found wrong with it."""
    experiment, (name, first, end) = EXPERIMENTS[budget], block
    contract, sampler = experiment.samplers[name]
    with processor_as_clock():
        reports = {
            seed: check_sampler(sampler, contract, level=level, seed=seed, budget=experiment.budget)
            for seed in range(first, end)
        }
    return [
        f"seed {seed}: {report.verdict}: {'; '.join(finding.text for finding in report.findings)}"
        for seed, report in reports.items()
        if report.verdict not in (Verdict.LOSSLESS, Verdict.INCONCLUSIVE)
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the checks and print the alarm rate with its 99% interval."""
    parser = argparse.ArgumentParser(prog="python -m specproof.conformance.false_alarms", description=main.__doc__)
    parser.add_argument("--budget", choices=EXPERIMENTS, default="small", help="small and many, or as by default")
    parser.add_argument("--checks", type=int, help="number of checks, all samplers together")
    parser.add_argument("--level", type=float, help="false-alarm level of each check")
    parser.add_argument("--jobs", type=int, default=joblib.cpu_count(), help="worker processes")
    parser.add_argument("--record", type=Path, help="CSV file of what is done already; written to, and gone on from")
    given = parser.parse_args(arguments)
    experiment = EXPERIMENTS[given.budget]
    level = experiment.level if given.level is None else given.level
    checks = experiment.checks if given.checks is None else given.checks
    try:
        check_level(level)
        positive_integer(checks, "checks")
        positive_integer(given.jobs, "jobs")
    except InvalidInput as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    share = -(-checks // len(experiment.samplers))
    blocks = [
        (name, first, min(first + experiment.block, share))
        for first in range(0, share, experiment.block)
        for name in experiment.samplers
    ]
    try:
        found = _run(given.budget, level, blocks, given.record, given.jobs)
    except KeyboardInterrupt:
        kept = f"run it again to go on from {given.record}" if given.record else "with --record FILE it could go on"
        parser.exit(130, f"interrupted: {kept}\n")
    print(f"budget {given.budget}, level {level:g} a check, seeds 0 to {share - 1} of each sampler")
    for name in experiment.samplers:
        _print(name, sum(len(found[block]) for block in blocks if block[0] == name), share)
    _print("all", sum(map(len, found.values())), share * len(experiment.samplers))
    for block in blocks:
        for alarm in found[block]:
            print(f"{block[0]}, {alarm}")


def _run(budget: str, level: float, blocks: Sequence[Block], record: Path | None, jobs: int) -> dict[Block, Alarms]:
    """Alarms by block, those that the record has taken from there."""
    found = {block: said for block, said in _recorded(budget, level, record).items() if block in blocks}
    missing = [block for block in blocks if block not in found]
    checked = joblib.Parallel(n_jobs=jobs, return_as="generator")(
        joblib.delayed(alarms)(budget, level, block) for block in missing
    )
    console = Console(file=sys.stderr)
    for block, said in zip(missing, track(checked, "checking", total=len(missing), console=console), strict=True):
        found[block] = said
        if record:
            with record.open("a", newline="") as file:
                csv.writer(file).writerow((budget, level, *block, *said))
    return found


def _recorded(budget: str, level: float, record: Path | None) -> dict[Block, Alarms]:
    if record is None or not record.exists():
        return {}
    with record.open(newline="") as file:
        return {
            (name, int(first), int(end)): said
            for kind, at, name, first, end, *said in csv.reader(file)
            if (kind, float(at)) == (budget, level)
        }


def _print(name: str, count: int, checks: int) -> None:
    low, high = binomial_interval(count, checks, 0.01)
    print(f"{name:<40} {count:>5} alarms in {checks:,} checks: rate {count / checks:.5f} in [{low:.5f}, {high:.5f}]")


if __name__ == "__main__":
    main()
