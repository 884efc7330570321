"""Loading a person's own Python code: the path of a file, or the dotted name of a module."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import linecache
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from specproof.theory.errors import InvalidInput


class Source(NamedTuple):
    """Code that another process can load just as this one does."""

    name: str
    """The path of a .py file, or a dotted name."""
    folder: str
    """Where paths start, and where modules are looked for besides the places that Python knows."""


def load_module(source: Source) -> ModuleType:
    """Import a module by its name, or a file as the module that its package makes of it, or as one on its own.

    Raises
    ------
    InvalidInput
        If there is no such file, or importing it fails: the line names the import that failed, and its file.
    """
    if not source.name.endswith(".py"):
        return _imported(source.name, source, Path(source.folder))
    path = (Path(source.folder) / source.name).resolve()
    if not path.is_file():
        raise InvalidInput(f"{source.name} is not a file: give the path of a .py file or the name of a module")
    top = path.parent
    while (top / "__init__.py").is_file():
        top = top.parent
    name = ".".join(path.relative_to(top).with_suffix("").parts)
    module = _imported(name, source, top)
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != path:
        raise InvalidInput(f"{source.name} is hidden by another module {name!r} ({found or 'built in'}): rename it")
    return module


def _imported(name: str, source: Source, folder: Path) -> ModuleType:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))  # it stays: functions import when they are called, too
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return importlib.import_module(name)
    except Exception as error:  # a stranger's module may raise what it likes
        message = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise InvalidInput(
            f"{source.name} cannot be imported ({message}{_place(error)}): import it in Python to see why"
        ) from None


def _place(error: Exception) -> str:
    """Say which statement failed, and in which file."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" at {error.filename}:{error.lineno}"
    machinery = {__file__, importlib.__file__}
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename not in machinery and not frame.f_code.co_filename.startswith("<frozen")
    ]
    if not places:
        return ""
    filename, line = places[-1]
    statement = linecache.getline(filename, line).strip()
    return f" by '{statement}' at {filename}:{line}"
