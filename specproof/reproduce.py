"""The reproduction: evidence, tables, figures and a manifest in one folder."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from simulations.claims.claim import FAMILY_LEVEL, Settings
from simulations.claims.gather import ClaimFindings, gather
from simulations.claims.registry import share_level
from simulations.evidence import as_table
from simulations.experiments.runner import Announce
from simulations.experiments.store import Store, require_writable, source_fingerprint, whole_file, write_text
from specproof.manifest import environment
from specproof.selection import Wanted


def open_store(out: Path, settings: Settings) -> Store:
    """Open the finished cells in ``out`` that this code made with this seed, level and set of libraries.

    Raises
    ------
    InvalidInput
        If the folder cannot be written to.
    """
    require_writable(out / "cells")
    level = share_level(settings)
    fingerprint = json.dumps([source_fingerprint(), environment()["packages"]])
    return Store(out / "cells", lambda cell: cell.key(settings.seed, level, fingerprint))


def reproduce(
    wanted: Wanted,
    settings: Settings,
    out: Path,
    store: Store,
    *,
    jobs: int,
    scheduler: str | None,
    announce: Announce,
) -> list[ClaimFindings]:
    """Gather the evidence and write everything under ``out``.

    Raises
    ------
    InvalidInput
        If the folder cannot be written, the scheduler does not answer, or a model cannot be had.
    """
    began, start = datetime.now(UTC), time.perf_counter()
    found = gather(wanted.claims, settings, store, jobs=jobs, scheduler=scheduler, announce=announce)
    tables = {part.claim.id: {name: pd.DataFrame(rows) for name, rows in part.tables.items()} for part in found}
    _write_evidence(found, tables, out)
    drawn = [path for figure in wanted.figures for path in figure.make(tables[figure.claim], out / "figures")]
    manifest = {
        "started": began.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - start, 1),
        "settings": asdict(settings),
        "family_level": FAMILY_LEVEL,
        "test_level": share_level(settings),
        "jobs": jobs,
        "scheduler": scheduler,
        "claims": {part.claim.id: part.verdict.value for part in found},
        "notes": {part.claim.id: part.claim.note for part in found if part.claim.note},
        "figures": [path.relative_to(out).as_posix() for path in drawn],
        **environment(),
    }
    write_text(out / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    return found


def _write_evidence(
    found: Sequence[ClaimFindings], tables: Mapping[str, Mapping[str, pd.DataFrame]], out: Path
) -> None:
    evidence = as_table(row for part in found for row in part.rows)
    with whole_file(out / "evidence.parquet") as parquet:
        evidence.to_parquet(parquet, index=False)
    with whole_file(out / "evidence.csv") as csv:
        evidence.to_csv(csv, index=False)
    for claim, by_name in tables.items():
        for name, table in by_name.items():
            with whole_file(out / "tables" / f"{claim}.{name}.parquet") as parquet:
                table.to_parquet(parquet, index=False)
