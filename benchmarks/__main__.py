"""Run every benchmark on one core, print the ratios and write them to a folder; exit 1 if one falls short."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks import (
    blocks,
    build_time,
    conformance,
    growth,
    kseq,
    layers,
    one_row,
    optimum,
    priority,
    rejections,
    samplers,
    sequences,
    traces,
)
from benchmarks.timing import Comparison

RESULTS = Path("results/benchmarks")
WIDTH = 150
"""Columns of the table where the output is no terminal, or a narrow one."""


def command(words: Sequence[str]) -> int:
    """Run them all, or say what they are; nothing can be chosen."""
    about = f"It takes minutes, and writes tables and figures into {RESULTS}; alone on the machine, as 'make bench'."
    argparse.ArgumentParser("python -m benchmarks", description=__doc__, epilog=about).parse_args(words)
    return main()


def main() -> int:
    """Print a table of ratios, and write it with the build times, the growth with V and rows, and their figures."""
    torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        lines = list(compare())
        build_time.draw(RESULTS)
    rows = [{**asdict(line), "ratio": line.ratio} for line in lines]
    pd.DataFrame(rows).to_csv(RESULTS / "speed.csv", index=False)
    return report(lines)


def compare() -> Iterator[Comparison]:
    """Run all benchmarks, one after another."""
    for module in (optimum, priority, kseq, one_row, samplers, blocks, rejections, sequences, layers, traces):
        yield from module.compare()
    yield from conformance.compare()
    yield from growth.compare(RESULTS)


def report(lines: list[Comparison]) -> int:
    """Print a table; return 1 if a line falls short of what is asked for, else 0."""
    table = Table(
        "what", "ours", "peer", "peer's time", "ratio", "asked", title="Speed on one core, unless it says more"
    )
    for line in lines:
        colour = "bold red" if line.falls_short else "green"
        table.add_row(
            line.what,
            f"{line.ours * 1e3:.3g} ms",
            line.peer,
            f"{line.theirs * 1e3:.4g} ms",
            f"[{colour}]{line.ratio:.3g}[/]",
            f"{line.least:.3g}",
        )
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table)
    return int(any(line.falls_short for line in lines))


if __name__ == "__main__":
    sys.exit(command(sys.argv[1:]))
