"""The store of finished cells, which count only for the code that made them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import specproof.simulations as simulations
import specproof.theory as theory
from specproof.simulations.evidence import ClaimVerdict, Evidence, Method
from specproof.simulations.experiments.cell import Cell, Findings
from specproof.simulations.experiments.whole_files import write_text


def source_fingerprint() -> str:
    """Digest of the source of theory and simulations: a finished cell counts only for the code that made it."""
    digest = hashlib.sha256()
    for package in (theory, simulations):
        root = Path(package.__path__[0])
        for path in sorted(p for p in root.rglob("*") if p.suffix in {".py", ".jsonl"}):
            digest.update(str(path.relative_to(root.parent)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Store:
    """Finished cells of one output folder, one JSON file each.

    Attributes
    ----------
    folder : Path
        Finished cells are kept here.
    key : callable
        The digest of all that a cell's result depends on.
    """

    folder: Path
    key: Callable[[Cell], str]

    def load(self, cell: Cell) -> Findings | None:
        """Return the finished cell, or None if it is missing, unreadable or was made by other code or settings."""
        try:
            content = json.loads(self._path(cell).read_text(encoding="utf-8"))
            if content["key"] != self.key(cell):
                return None
            return Findings([_row(record) for record in content["rows"]], content["tables"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, cell: Cell, findings: Findings) -> None:
        """Keep a finished cell."""
        rows = [asdict(row) for row in findings.rows]
        content = {"key": self.key(cell), "cell": cell.id, "rows": rows, "tables": dict(findings.tables)}
        write_text(self._path(cell), json.dumps(content))

    def _path(self, cell: Cell) -> Path:
        return self.folder / cell.claim / f"{cell.name}-{self.key(cell)[:16]}.json"


def _row(record: dict[str, Any]) -> Evidence:
    return Evidence(**{**record, "method": Method(record["method"]), "verdict": ClaimVerdict(record["verdict"])})
