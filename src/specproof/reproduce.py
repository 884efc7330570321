"""The reproduction: evidence, tables, figures, a manifest and a page of it all in one folder."""

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

from specproof.figure_files import draw_figures
from specproof.manifest import environment
from specproof.own_code import OwnCode, worker_preparation
from specproof.progress import progress
from specproof.report.page import write_page
from specproof.report.run_page import run_page
from specproof.run_plan import RunPlan
from specproof.simulations.claims.claim import FAMILY_LEVEL, Claim, Settings
from specproof.simulations.claims.conclusion import ClaimFindings, conclude_claim
from specproof.simulations.evidence import as_table
from specproof.simulations.experiments.cell_runner import Announce, run_cells
from specproof.simulations.experiments.store import Store
from specproof.simulations.experiments.whole_files import require_writable, whole_file, write_text
from specproof.simulations.language_models.pair_names import parse_pair
from specproof.simulations.language_models.pairs import fetch_pair, resolve_device
from specproof.simulations.language_models.prompts import load_prompts
from specproof.simulations.language_models.scoring import parse_scorer

MANIFEST, PAGE = "manifest.json", "report.html"


def make_settings(
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


def gather_evidence(
    plan: RunPlan, store: Store, *, jobs: int, scheduler: str | None = None, announce: Announce = lambda _cell: None
) -> list[ClaimFindings]:
    """Run what is not stored yet of all claims' cells together, then conclude claim by claim."""
    cells, seed = plan.all_cells, plan.settings.seed
    found = run_cells(
        cells,
        seed,
        plan.level,
        store,
        jobs=jobs,
        scheduler=scheduler,
        announce=announce,
        prepare=worker_preparation(plan.own),
    )
    by_id = {cell.id: findings for cell, findings in zip(cells, found, strict=True)}
    return [
        conclude_claim(claim, [by_id[cell.id] for cell in plan.cells[claim.id]], seed, plan.level)
        for claim in plan.claims
    ]


def reproduce(plan: RunPlan, out: Path, *, jobs: int | None, scheduler: str | None) -> list[ClaimFindings]:
    """Gather the evidence, showing progress, and write everything under ``out``.

    Without ``jobs`` there is one worker a core, or a single one on a GPU.

    Raises
    ------
    InvalidInput
        If the folder cannot be written, the scheduler does not answer, or a model cannot be loaded.
    """
    began, start = datetime.now(UTC), time.perf_counter()
    require_writable(out / "cells")
    store = Store(out / "cells", plan.key)
    _warn_of_replacing(out, plan.claims, plan.settings)
    _fetch_models(plan, store)
    jobs = jobs or (1 if plan.settings.device == "cuda" else joblib.cpu_count())
    with progress(len(plan.all_cells)) as shown:
        found = gather_evidence(
            plan, store, jobs=jobs, scheduler=scheduler, announce=lambda cell: shown.finish(cell.id)
        )
    tables = {part.claim.id: {name: pd.DataFrame(rows) for name, rows in part.tables.items()} for part in found}
    _write_evidence(found, tables, out)
    drawn = draw_figures(plan.figures, tables, out / "figures", jobs, worker_preparation(plan.own))
    manifest = {
        "started": began.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - start, 1),
        "settings": asdict(plan.settings),
        "family_level": FAMILY_LEVEL,
        "test_level": plan.level,
        "test_level_is": "family_level / (tests.registered + tests.own); registered tests count whether run or not",
        "tests": dict(plan.tests),
        "own": [_own_record(code) for code in plan.own],
        "jobs": jobs,
        "scheduler": scheduler,
        "claims": {part.claim.id: part.verdict.value for part in found},
        "notes": {part.claim.id: part.claim.note for part in found if part.claim.note},
        "figures": [path.relative_to(out).as_posix() for path in drawn],
        **environment(),
    }
    write_text(out / MANIFEST, json.dumps(manifest, indent=2) + "\n")
    write_page(out / PAGE, run_page(found, plan.figures, tables, manifest, out))
    return found


def _own_record(code: OwnCode) -> dict[str, Any]:
    """What has to be known of a person's own code to run it again."""
    return {
        "source": code.name,
        "sha256": code.digest,
        "claims": [claim.id for claim in code.claims],
        "figures": [figure.id for figure in code.figures],
    }


def _fetch_models(plan: RunPlan, store: Store) -> None:
    """Fetch the pair of models before the workers start, if a cell that is still to be run needs it."""
    run_models = {claim.id for claim in plan.claims if claim.needs_models}
    if any(cell.claim in run_models and store.load(cell) is None for cell in plan.all_cells):
        fetch_pair(plan.settings.pair)


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
