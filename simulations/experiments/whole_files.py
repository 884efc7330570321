"""Files that are either whole or not there."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space or choose another folder, then run the same command again: finished cells are kept"
    return "choose a folder that can be written to"
