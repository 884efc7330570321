"""The page of a run: what became of every claim, and all that it rests on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from specproof.figures.figure_spec import FigureSpec
from specproof.report.data_table import DataTable, data_table
from specproof.report.inline_svg import inline_svg
from specproof.report.page import render
from specproof.simulations.claims.claim import Settings
from specproof.simulations.claims.conclusion import ClaimFindings
from specproof.simulations.claims.registry import CLAIMS
from specproof.simulations.evidence import ClaimVerdict, Evidence, Method

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, Mapping[str, "pd.DataFrame"]]
"""Data frames by claim and by name."""

STATES = {
    ClaimVerdict.HOLDS: "good",
    ClaimVerdict.CONSISTENT: "good",
    ClaimVerdict.INCONCLUSIVE: "open",
    ClaimVerdict.REFUTED: "bad",
}
"""How a verdict that is not a control's looks on a page."""


@dataclass(frozen=True)
class DrawnFigure:
    """A figure of a run, as its page shows it."""

    spec: FigureSpec
    """What it is."""
    command: str
    """The command that draws it."""
    drawing: Markup
    """The figure itself."""
    tables: tuple[DataTable, ...]
    """What it was drawn from."""
    files: tuple[str, ...]
    """Where it lies, below the folder of the run."""


def run_page(
    found: Sequence[ClaimFindings],
    figures: Sequence[FigureSpec],
    tables: Tables,
    manifest: Mapping[str, Any],
    out: Path,
) -> str:
    """Write the page of a run.

    Parameters
    ----------
    found : sequence of ClaimFindings
    figures : sequence of FigureSpec
        Their SVG files lie in ``out / "figures"``.
    tables : mapping
        The tables of the claims, by claim and by name.
    manifest : mapping
        What the run's manifest says.
    out : Path
        The folder of the run.
    """
    return render(
        "run",
        found=found,
        state=_state(found),
        settings=_settings(manifest),
        again=command_for(manifest, _names(manifest)),
        manifest=manifest,
        figures=[_drawn(spec, tables[spec.claim], manifest, out) for spec in figures],
        digests={part.claim.id: _digests(part, tables[part.claim.id]) for part in found},
        undecided=[(row, _remedy(row, manifest)) for part in found for row in part.rows if _is_open(row)],
        is_control=lambda row: row.method == Method.CONTROL,
        row_state=row_state,
        claim_state=lambda part: STATES[part.verdict],
        in_words=in_words,
        tally=_tally,
        by_cell=_by_cell,
    )


def row_state(row: Evidence) -> str:
    """Say how a row looks: "good" if it is as it should be, "open" if it is undecided, "bad" otherwise."""
    if row.verdict == ClaimVerdict.INCONCLUSIVE:
        return "open"
    return "good" if row.is_expected else "bad"


def in_words(instance: str) -> str:
    """Write the parameters of a row without the marks of JSON.

    Examples
    --------
    >>> in_words('{"horizon": 50, "states": "1..4"}')
    'horizon 50, states 1..4'
    """
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in json.loads(instance).items())


def command_for(manifest: Mapping[str, Any], names: Sequence[str]) -> str:
    """Give the command that makes a run of these settings again, for some claims or figures.

    Examples
    --------
    >>> command_for({"settings": {"seed": 7, "scale": "full"}, "own": []}, ["figure.batch"])
    'specproof reproduce figure.batch --full --seed 7'
    """
    settings, usual = manifest["settings"], Settings()
    words = ["specproof", "reproduce", *names]
    words += [word for code in manifest["own"] if not code["claims"] for word in ("--plugin", code["source"])]
    words += ["--full"] if settings["scale"] == "full" else []
    for name in ("seed", "pair", "draft_length", "scorer"):
        if settings.get(name, getattr(usual, name)) != getattr(usual, name):
            words += [f"--{name.replace('_', '-')}", str(settings[name])]
    return shlex.join(words)


def _names(manifest: Mapping[str, Any]) -> list[str]:
    """Give the words by which a command asks for the claims of a run: none for all of ours."""
    own = [code["source"] for code in manifest["own"] if code["claims"]]
    theirs = {claim for code in manifest["own"] for claim in code["claims"]}
    ours = [claim for claim in manifest["claims"] if claim not in theirs]
    return own if not own and len(ours) == len(CLAIMS) else [*own, *ours]


def _state(found: Sequence[ClaimFindings]) -> str:
    if any(part.surprises for part in found):
        return "bad"
    return "open" if any(part.verdict == ClaimVerdict.INCONCLUSIVE for part in found) else "good"


def _settings(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Tell all settings in words; prompts are told by their number."""
    told = manifest["settings"]
    return [
        (
            field.name.replace("_", " "),
            f"{len(told[field.name])} texts" if field.name == "prompts" else told[field.name],
        )
        for field in fields(Settings)
    ]


def _drawn(spec: FigureSpec, tables: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any], out: Path) -> DrawnFigure:
    name = spec.id.removeprefix("figure.")
    files = [path for path in manifest["figures"] if Path(path).name.partition(".")[0] == name]
    return DrawnFigure(
        spec,
        command_for(manifest, [spec.id]),
        inline_svg((out / "figures" / f"{name}.svg").read_text(encoding="utf-8"), name, spec.statement),
        tuple(data_table(f"Table {table.replace('_', ' ')}.", tables[table]) for table in spec.tables),
        tuple(files),
    )


def _digests(part: ClaimFindings, tables: Mapping[str, pd.DataFrame]) -> list[DataTable]:
    return [
        data_table(f"{name.replace('_', ' ').capitalize()}.", tables[name][list(columns)])
        for name, columns in part.claim.digest.items()
    ]


def _is_open(row: Evidence) -> bool:
    return row.verdict == ClaimVerdict.INCONCLUSIVE


def _remedy(row: Evidence, manifest: Mapping[str, Any]) -> str:
    """Say what would decide an inconclusive row."""
    needed = row.trials_needed
    larger = "" if manifest["settings"]["scale"] == "full" else ", as --full has more"
    if needed == float("inf") or row.trials == 0:
        return f"more trials than these {row.trials:,}{larger}: so few can refute nothing"
    return f"some {needed:.3g} times as many trials{larger}"


def _tally(rows: Sequence[Evidence], kind: str) -> str:
    """Count the rows of a kind, "exact", "statistical" or "controls", that are as they should be."""
    controls = [row for row in rows if row.method == Method.CONTROL]
    others = [row for row in rows if row.method != Method.CONTROL]
    chosen = {
        "exact": [row for row in others if row.level == 0],
        "statistical": [row for row in others if row.level > 0],
        "controls": controls,
    }[kind]
    return f"{sum(row_state(row) == 'good' for row in chosen)} of {len(chosen)}" if chosen else "–"


def _by_cell(rows: Sequence[Evidence]) -> list[Evidence]:
    """Put the controls of each cell right after what they control."""
    cells = list(dict.fromkeys(row.cell for row in rows))
    return sorted(rows, key=lambda row: (cells.index(row.cell), row.method == Method.CONTROL))
