"""From what a claim's cells found to what became of the claim."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from specproof.simulations.claims.claim import Claim
from specproof.simulations.evidence import ClaimVerdict, Evidence, Method
from specproof.simulations.experiments.cell import (
    CellContext,
    Findings,
    Records,
    call_cell,
    join_tables,
    stream,
    with_origin,
)
from specproof.theory.display import html_table

_SEVERITY = [ClaimVerdict.HOLDS, ClaimVerdict.CONSISTENT, ClaimVerdict.INCONCLUSIVE, ClaimVerdict.REFUTED]


@dataclass(frozen=True)
class ClaimFindings:
    """All that was found for one claim."""

    claim: Claim
    rows: list[Evidence]
    tables: Mapping[str, Records]

    @property
    def verdict(self) -> ClaimVerdict:
        """The most severe verdict of any row that is not a control."""
        verdicts = [row.verdict for row in self.rows if row.method != Method.CONTROL]
        return max(verdicts, key=_SEVERITY.index)

    @property
    def surprises(self) -> list[Evidence]:
        """Rows that speak against the claim: a refuted one, or a control that was not refuted."""
        return [row for row in self.rows if not row.is_expected]

    def _repr_html_(self) -> str:
        headings = ("quantity", "kind", "exact", "estimate", "low", "high", "verdict")
        rows = (
            (
                *(row.quantity, row.method),
                *(f"{each:.6g}" for each in (row.exact, row.estimate, row.low, row.high)),
                row.verdict,
            )
            for row in self.rows
        )
        return html_table(f"{self.claim.id}: {self.verdict}", headings, rows)


def conclude_claim(claim: Claim, parts: Sequence[Findings], seed: int, level: float) -> ClaimFindings:
    """Put together what the cells of a claim have found, and add what it concludes from all of it.

    Raises
    ------
    InvalidInput
        If the conclusion makes more tests than the claim announces.
    """
    rows = [row for part in parts for row in part.rows]
    tables = join_tables(parts)
    if claim.conclude is not None:
        start = time.perf_counter()
        context = CellContext(stream(seed, claim.id), level, tables)
        findings = call_cell(f"{claim.id}/conclusion", partial(claim.conclude, context))
        seconds = time.perf_counter() - start
        rows += with_origin(findings, claim.id, "conclusion", claim.conclusions, seed, seconds).rows
        tables.update(findings.tables)
    return ClaimFindings(claim, rows, tables)
