"""Run every benchmark on one core and print the ratios; exit 1 if one falls short."""

from __future__ import annotations

import sys

import torch
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks import kseq, optimum, priority, rejections, samplers


def main() -> int:
    """Print a table of ratios."""
    torch.set_num_threads(1)
    table = Table("what", "ours", "peer", "peer's time", "ratio", "asked", title="Speed on one core")
    short = 0
    with threadpool_limits(limits=1):
        for module in (optimum, priority, kseq, samplers, rejections):
            for line in module.compare():
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
    Console().print(table)
    return int(short > 0)


if __name__ == "__main__":
    sys.exit(main())
