"""Files that are either whole or not there, and the store of finished cells built on them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import specproof.simulations as simulations
import specproof.theory as theory
from specproof.simulations.evidence import ClaimVerdict, Evidence, Method
from specproof.simulations.experiments.cell import Cell, Findings
from specproof.theory.errors import InvalidInput


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; it takes the place of ``path`` only when all went well.

    Raises
    ------
    InvalidInput
        If it is a folder, its folder cannot be written to, or the disk is full. Nothing half-written stays behind.
    """
    _refuse_folder(path)
    # Always the same name: what a killed run left behind is overwritten by the run that makes the file after all.
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InvalidInput(f"cannot write {path} ({error.strerror or error}): {_remedy(error)}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def require_writable(folder: Path) -> None:
    """Try to write into a folder, made if need be, before hours of work depend on it.

    Raises
    ------
    InvalidInput
        If that fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InvalidInput(f"cannot write to {folder} ({error.strerror or error}): {_remedy(error)}") from None


def require_writable_file(path: Path) -> None:
    """Try whether a file can be written, in a folder made if need be, before work depends on it.

    Raises
    ------
    InvalidInput
        If that fails.
    """
    _refuse_folder(path)
    require_writable(path.parent)


def _refuse_folder(path: Path) -> None:
    with suppress(OSError):  # not even that can be asked: whoever writes there says why
        if path.is_dir():
            raise InvalidInput(f"cannot write {path}, which is a folder: give the path of a file")


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


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space or choose another folder, then run the same command again: finished cells are kept"
    return "choose a folder that can be written to"
