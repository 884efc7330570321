"""What a run found, for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from specproof.simulations.claims.conclusion import ClaimFindings
from specproof.simulations.evidence import ClaimVerdict, Evidence, Method

COLOURS = {ClaimVerdict.HOLDS: "green", ClaimVerdict.CONSISTENT: "green", ClaimVerdict.INCONCLUSIVE: "yellow"}


def print_findings(found: Sequence[ClaimFindings], out: Path) -> None:
    """Print the verdict on every claim, what speaks against it, the digests of its tables, and where all is kept."""
    console = Console()
    console.print(_verdicts(found))
    for part in found:
        for row in part.surprises:
            what = "control not refuted" if row.method == Method.CONTROL else "refuted"
            console.print(
                f"[bold red]{what}[/]: {part.claim.id}: {row.quantity} {row.instance}: exact {row.exact:.9g}, "
                f"estimate {row.estimate:.9g} in [{row.low:.9g}, {row.high:.9g}] (seed {row.seed}, cell {row.cell})",
                highlight=False,
                soft_wrap=True,
            )
    for part in found:
        for name, columns in part.claim.digest.items():
            digest = pd.DataFrame(part.tables[name])[list(columns)].rename(
                columns=lambda column: column.replace("_", " ")
            )
            console.print(f"\n[bold]{part.claim.id}: {name.replace('_', ' ')}[/]", highlight=False)
            print(digest.to_string(index=False, float_format="{:z.3f}".format))
    for part in found:
        if part.claim.note:
            console.print(f"{part.claim.id}: {part.claim.note}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"Evidence, tables, figures and manifest: {out}", highlight=False, soft_wrap=True)
    console.print(f"All of it on one page: {out / 'report.html'}", highlight=False, soft_wrap=True)


def _verdicts(found: Sequence[ClaimFindings]) -> Table:
    """One line a claim: how many of its rows of each kind are as they should be.

    Without frames the longest id, verdict and counts fit into 80 columns.
    """
    whole = (Column(heading, no_wrap=True) for heading in ("claim", "verdict", "exact"))
    folded = (Column(heading, overflow="fold") for heading in ("statistical", "controls"))
    table = Table(
        *whole, *folded, title="Claims", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for part in found:
        controls = [row for row in part.rows if row.method == Method.CONTROL]
        others = [row for row in part.rows if row.method != Method.CONTROL]
        table.add_row(
            part.claim.id,
            f"[{COLOURS.get(part.verdict, 'bold red')}]{part.verdict}[/]",
            _tally([row for row in others if row.level == 0], ClaimVerdict.HOLDS),
            _tally([row for row in others if row.level > 0], ClaimVerdict.CONSISTENT),
            _tally(controls, ClaimVerdict.REFUTED),
        )
    return table


def _tally(rows: Sequence[Evidence], good: ClaimVerdict) -> str:
    """How many of the rows have the verdict that they should, and how many have none."""
    counted = f"{sum(row.verdict == good for row in rows)}/{len(rows)}"
    undecided = sum(row.verdict == ClaimVerdict.INCONCLUSIVE for row in rows)
    return f"{counted} ({undecided} inconclusive)" if undecided else counted
