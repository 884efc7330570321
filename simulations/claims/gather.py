"""Gathering the evidence for claims: run their cells, conclude, and say what became of each claim."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.registry import share_level
from specproof.simulations.evidence import Evidence, Method, Verdict
from specproof.simulations.experiments.cell import CellContext, Findings, Records, join_tables, label, stream
from specproof.simulations.experiments.runner import Announce, run_cells
from specproof.simulations.experiments.store import Store

_SEVERITY = [Verdict.HOLDS, Verdict.CONSISTENT, Verdict.INCONCLUSIVE, Verdict.REFUTED]


@dataclass(frozen=True)
class ClaimFindings:
    """All that was found for one claim."""

    claim: Claim
    rows: list[Evidence]
    tables: Mapping[str, Records]

    @property
    def verdict(self) -> Verdict:
        """The most severe verdict of any row that is not a control."""
        verdicts = [row.verdict for row in self.rows if row.method != Method.CONTROL]
        return max(verdicts, key=_SEVERITY.index)

    @property
    def surprises(self) -> list[Evidence]:
        """Rows that speak against the claim: a refuted one, or a control that was not refuted."""
        return [row for row in self.rows if not row.is_expected]


def gather(
    claims: Sequence[Claim],
    settings: Settings,
    store: Store,
    *,
    jobs: int,
    scheduler: str | None,
    announce: Announce,
) -> list[ClaimFindings]:
    """Run what is not stored yet of all claims' cells together, then conclude claim by claim."""
    level = share_level(settings)
    cells = {claim.id: claim.cells(settings) for claim in claims}
    everything = [cell for claim in claims for cell in cells[claim.id]]
    found = run_cells(everything, settings.seed, level, store, jobs=jobs, scheduler=scheduler, announce=announce)
    by_id = {cell.id: findings for cell, findings in zip(everything, found, strict=True)}
    return [_conclude(claim, [by_id[cell.id] for cell in cells[claim.id]], settings.seed, level) for claim in claims]


def _conclude(claim: Claim, parts: Sequence[Findings], seed: int, level: float) -> ClaimFindings:
    rows = [row for part in parts for row in part.rows]
    tables = join_tables(parts)
    if claim.conclude is not None:
        start = time.perf_counter()
        findings = claim.conclude(CellContext(stream(seed, claim.id), level, tables))
        seconds = time.perf_counter() - start
        rows += label(findings, claim.id, "conclusion", claim.conclusions, seed, seconds).rows
        tables.update(findings.tables)
    return ClaimFindings(claim, rows, tables)
