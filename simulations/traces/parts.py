"""Captures in groups, each kept as soon as it is finished, so that an interrupted capture goes on from there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.experiments.whole_files import whole_file, write_text
from specproof.simulations.traces.trace import Trace, pack
from specproof.simulations.traces.trace_header import TextRecord, TraceHeader
from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput

Columns = dict[str, NDArray[Any]]
"""Columns of a trace by name, of shape (rows,) or (rows, m)."""

SETTINGS = "settings.json"


class Progress(Protocol):
    """What is told how far a capture is."""

    def advance(self, share: float) -> None:
        """Hear what share of the group that is being measured is done."""

    def finish(self, name: str) -> None:
        """Hear that a group of this name is finished."""


ShowProgress = Callable[[int], AbstractContextManager[Progress]]
"""``show(total)``: a context in which ``total`` groups are finished."""


class Silence:
    """What shows nothing."""

    def advance(self, share: float) -> None:
        """Take no notice."""

    def finish(self, name: str) -> None:
        """Take no notice."""


def silent(_total: int) -> AbstractContextManager[Progress]:
    """Show no progress."""
    return nullcontext(Silence())


@dataclass(frozen=True)
class Capture:
    """What is to be captured, in groups that do not depend on each other."""

    header: TraceHeader
    """The header of the trace, but for its texts."""
    groups: tuple[str, ...]
    """What each group is called when it is finished."""
    measure: Callable[[int, Progress], Columns]
    """``measure(number, progress)``: the columns of a group. It gives the same whenever it is called."""
    texts: Callable[[Columns], tuple[TextRecord, ...]]
    """``texts(columns)``: the records of all texts, from the columns of all groups in order."""
    asked: Mapping[str, Any] | None = None
    """All that the columns depend on, in JSON values; None if that cannot be told, so that no group can be kept."""

    def run(self, out: Path | None = None, *, fresh: bool = False, progress: ShowProgress = silent) -> Trace:
        """Measure all groups, and write the trace.

        Parameters
        ----------
        out : path, optional
            Where the trace is written. Finished groups are kept in a folder beside it until all are.
        fresh : bool
            Remove what an interrupted capture has left, and begin anew.
        progress : callable

        Raises
        ------
        InvalidInput
            If the folder holds groups of other settings, or something cannot be written; or for whatever ``measure``
            refuses.
        """
        parts = None if out is None or self.asked is None else Parts(parts_folder(out))
        if parts is not None and self.asked is not None:
            parts.begin(self.asked, fresh)
        try:
            with progress(len(self.groups)) as shown:
                found = [self._group(number, parts, shown) for number in range(len(self.groups))]
        finally:
            if parts is not None:
                parts.leave_if_empty()
        joined = in_order(join(found))
        trace = pack(replace(self.header, texts=self.texts(joined)), joined)
        if out is not None:
            trace.write(out)
        if parts is not None:
            parts.remove()
        return trace

    def _group(self, number: int, parts: Parts | None, shown: Progress) -> Columns:
        """Measure a group and keep it, or take it over."""
        columns = None if parts is None else parts.load(number)
        if columns is None:
            columns = self.measure(number, shown)
            if parts is not None:
                parts.save(number, columns)
        shown.finish(self.groups[number])
        return columns


def join(parts: Sequence[Columns]) -> Columns:
    """Put columns below each other; each part has those of the first."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def in_order(columns: Columns) -> Columns:
    """Sort the rows by text, draft temperature and position."""
    order = np.lexsort((columns["position"], columns["draft_temperature"], columns["text"]))
    return {name: values[order] for name, values in columns.items()}


def parts_folder(out: Path) -> Path:
    """Name the folder in which the finished groups of a trace are kept."""
    return out.with_name(f"{out.name}.parts")


@dataclass(frozen=True)
class Parts:
    """The finished groups of a capture, a file each."""

    folder: Path

    def begin(self, asked: Mapping[str, Any], fresh: bool) -> None:
        """Take over what an interrupted capture of the same settings has left.

        Raises
        ------
        InvalidInput
            If it was of other settings, or the folder cannot be written.
        """
        if fresh:
            self.remove()
        wanted = json.loads(json.dumps(asked))
        settings = self.folder / SETTINGS
        if settings.exists():
            _refuse_other(self.folder, _read(settings), wanted)
        elif any(self._files()):
            _refuse_other(self.folder, {}, wanted)
        else:
            write_text(settings, json.dumps(wanted, indent=2) + "\n")

    def load(self, number: int) -> Columns | None:
        """Return the columns of a finished group; None if it is not there or cannot be read."""
        try:
            with self._path(number).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
        except (OSError, ValueError, EOFError, BadZipFile):
            return None

    def save(self, number: int, columns: Columns) -> None:
        """Keep a finished group."""
        with whole_file(self._path(number)) as temporary, temporary.open("wb") as file:
            np.savez(file, **columns)  # type: ignore[arg-type]  # columns are not its option allow_pickle

    def leave_if_empty(self) -> None:
        """Remove the folder if no group is kept: then other settings may be asked for at once."""
        if not any(self.folder.glob("group-*.npz")):
            self.remove()

    def remove(self) -> None:
        """Remove our files, and the folder if it holds nothing else."""
        for path in self._files():
            path.unlink()
        (self.folder / SETTINGS).unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _files(self) -> list[Path]:
        """List the finished groups, and what a capture that was killed had not finished writing."""
        return [path for pattern in ("group-*.npz", ".*.part") for path in self.folder.glob(pattern)]

    def _path(self, number: int) -> Path:
        return self.folder / f"group-{number:06d}.npz"


def _read(settings: Path) -> dict[str, Any]:
    try:
        read = json.loads(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _refuse_other(folder: Path, kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse groups of other settings, naming the first that differs."""
    for name in wanted:
        if kept.get(name) != wanted[name]:
            raise InvalidInput(
                f"{folder} holds parts of an interrupted capture whose {name} is {shown(kept.get(name))}, but now it "
                f"is {shown(wanted[name])}: ask for the same again, or begin anew with --fresh"
            )
