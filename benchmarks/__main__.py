"""Run every benchmark on one core, print the ratios and write them to a folder; exit 1 if one falls short."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks import blocks, build_time, conformance, kseq, layers, optimum, priority, rejections, samplers, sequences

RESULTS = Path("results/benchmarks")
WIDTH = 150
"""Columns of the table where the output is no terminal, or a narrow one."""


def main() -> int:
    """Print a table of ratios, and write it with the build times of the priority coupling and their figure."""
    torch.set_num_threads(1)
    table = Table("what", "ours", "peer", "peer's time", "ratio", "asked", title="Speed on one core")
    short, lines = 0, []
    with threadpool_limits(limits=1):
        for module in (optimum, priority, kseq, samplers, blocks, rejections, sequences, layers, conformance):
            for line in module.compare():
                lines.append({**asdict(line), "ratio": line.ratio})
                short += line.ratio < line.least
                colour = "green" if line.ratio >= line.least else "bold red"
                table.add_row(
                    line.what,
                    f"{line.ours * 1e3:.3g} ms",
                    line.peer,
                    f"{line.theirs * 1e3:.4g} ms",
                    f"[{colour}]{line.ratio:.3g}[/]",
                    f"{line.least:g}",
                )
        build_time.draw(RESULTS)
    pd.DataFrame(lines).to_csv(RESULTS / "speed.csv", index=False)
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table)
    return int(short > 0)


if __name__ == "__main__":
    sys.exit(main())
