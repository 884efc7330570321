"""The reproduction: evidence, tables, figures and a manifest in one folder."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from specproof.manifest import environment
from specproof.progress import progress
from specproof.selection import Wanted
from specproof.simulations.claims.claim import FAMILY_LEVEL, Claim, Settings
from specproof.simulations.claims.gather import ClaimFindings, gather
from specproof.simulations.claims.registry import share_level
from specproof.simulations.evidence import as_table
from specproof.simulations.experiments.store import Store, require_writable, source_fingerprint, whole_file, write_text
from specproof.simulations.language_models.pairs import fetch_pair, parse_pair, resolve_device
from specproof.simulations.language_models.prompts import load_prompts
from specproof.simulations.language_models.scoring import parse_scorer

MANIFEST = "manifest.json"


def settle(
    claims: Sequence[Claim],
    *,
    full: bool,
    seed: int,
    pair: str,
    device: str,
    prompts: Path | None,
    draft_length: int,
    scorer: str,
) -> Settings:
    """Turn what a user asked for into settings; a device is looked for only if a claim runs models.

    Raises
    ------
    InvalidInput
        If there is no such pair, device or scorer, or the file of prompts cannot be used.
    """
    name = parse_pair(pair).name
    return Settings(
        scale="full" if full else "quick",
        seed=seed,
        pair=name,
        device=resolve_device(device) if any(claim.needs_models for claim in claims) else "cpu",
        prompts=tuple(asdict(prompt) for prompt in load_prompts(prompts)),
        draft_length=draft_length,
        scorer=parse_scorer(scorer),
    )


def reproduce(
    wanted: Wanted, settings: Settings, out: Path, *, jobs: int | None, scheduler: str | None
) -> list[ClaimFindings]:
    """Gather the evidence, showing progress, and write everything under ``out``.

    Without ``jobs`` there is one worker a core, or a single one on a GPU.

    Raises
    ------
    InvalidInput
        If the folder cannot be written, the scheduler does not answer, or a model cannot be had.
    """
    began, start = datetime.now(UTC), time.perf_counter()
    store = _open_store(out, settings)
    _warn_of_replacing(out, wanted.claims, settings)
    cells = [cell for claim in wanted.claims for cell in claim.cells(settings)]
    run_models = {claim.id for claim in wanted.claims if claim.needs_models}
    if any(cell.claim in run_models and store.load(cell) is None for cell in cells):
        fetch_pair(settings.pair)
    jobs = jobs or (1 if settings.device == "cuda" else joblib.cpu_count())
    with progress(len(cells)) as announce:
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
    write_text(out / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    return found


def _open_store(out: Path, settings: Settings) -> Store:
    """Open the finished cells in ``out`` that this code made with this seed, level and set of libraries."""
    require_writable(out / "cells")
    level = share_level(settings)
    fingerprint = json.dumps([source_fingerprint(), environment()["packages"]])
    return Store(out / "cells", lambda cell: cell.key(settings.seed, level, fingerprint))


def _warn_of_replacing(out: Path, claims: Sequence[Claim], settings: Settings) -> None:
    """Say in one line what an earlier run into ``out`` found that this one will not: no evidence is lost in silence."""
    try:
        earlier = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        held, told = dict(earlier["settings"]), set(earlier["claims"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # no run has ended here
    now: dict[str, Any] = json.loads(json.dumps(asdict(settings)))
    lost = [
        "other prompts" if name == "prompts" else f"{name} {held.get(name)} (now {value})"
        for name, value in now.items()
        if held.get(name) != value
    ]
    missing = len(told - {claim.id for claim in claims})
    if missing:
        lost.append(f"{missing} more claim{'s' * (missing > 1)}")
    if lost:
        print(
            f"specproof: warning: {out} holds a run with {', '.join(lost)}: its evidence, manifest and figures are "
            "replaced and its finished cells stay; choose another --out to keep both",
            file=sys.stderr,
        )


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
