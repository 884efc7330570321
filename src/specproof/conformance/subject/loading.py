"""Finding a stranger's function: ``MODULE:FUNCTION``, where MODULE has a dotted name or is the path of a file.

A file is imported as its own repository would import it. In a package it is the module of its dotted name, with the
folder above the package on the path; elsewhere it is the module of its dotted name from the repository's root if Python
finds it there, so that relative imports work in folders without ``__init__.py`` too, or else a module on its own. What
lies beside it can be imported as by ``python file.py``.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from specproof.conformance.subject.failures import one_line
from specproof.conformance.subject.sampler_under_test import Sampler
from specproof.theory.errors import InvalidInput

ROOT_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")
"""A folder with one of these is the root of a repository."""
LONGEST_STATEMENT = 100
"""Longer statements are cut off in messages."""


class Source(NamedTuple):
    """Where a module is and how it is imported."""

    name: str
    """The dotted name; empty if the file is a module on its own."""
    folders: tuple[str, ...]
    """These folders come first on the path, in this order."""
    file: Path | None = None
    """The file that was named, if one was."""
    beside: tuple[str, ...] = ()
    """These folders come last on the path: nothing that is installed is hidden by what lies in them."""


def load_function(name: str) -> Sampler:
    """Import ``MODULE:FUNCTION``, where MODULE is an importable module or the path of a .py file.

    Raises
    ------
    InvalidInput
        If there is no such file, module or function, or importing it fails.

    Examples
    --------
    >>> load_function("specproof.conformance.references:token_by_token").__name__
    'token_by_token'
    """
    module_name, function_name = _split(name)
    module = _imported(module_name, find_source(module_name))
    function: Any = module
    for part in function_name.split("."):
        owner = function
        try:
            function = getattr(function, part)
        except Exception as error:  # a stranger's module may raise what it likes
            raise InvalidInput(
                f"{module_name} has no {function_name!r} ({one_line(error)}): name a function that is defined there"
            ) from None
    if not callable(function):
        raise InvalidInput(f"{function_name!r} in {module_name} is a {type(function).__name__}: name a function")
    if inspect.isclass(owner) and inspect.isfunction(inspect.getattr_static(owner, part, None)):
        raise InvalidInput(f"{function_name!r} in {module_name} is a method: name one of an instance, or a function")
    found: Sampler = function
    return found


def find_source(module_name: str) -> Source:
    """Find where a module is and how it is imported, without importing it.

    Raises
    ------
    InvalidInput
        If it is the path of a file that does not exist.
    """
    here = str(Path.cwd())
    if not module_name.endswith(".py"):
        return Source(module_name, (here,))
    given = Path(module_name)
    if not given.is_file():
        raise InvalidInput(f"{given} is not a file: give the path of a .py file or the name of a module")
    file = given.resolve()
    package = list(_packages(file))
    if package:
        top = package[-1].parent
        return Source(_dotted(file, top), (str(top), here), file, beside=(str(file.parent),))
    root = _root(file)
    folders = tuple(dict.fromkeys((str(file.parent), here, str(root))))
    return Source(_dotted(file, root), folders, file)


def load_module(given: str, source: Source) -> ModuleType:
    """Import what :func:`find_source` found, once a process, so that pickled functions of it find it by its name.

    What it imports when it is called later is found as well: the path stays extended.

    Raises
    ------
    InvalidInput
        If importing it fails, or another module has its name.

    Examples
    --------
    >>> load_module("specproof.claims", find_source("specproof.claims")).__name__
    'specproof.claims'
    """
    names = [source.name] if source.file is None else [source.name, source.file.stem]
    for known in filter(None, map(sys.modules.get, names)):
        if source.file is None or _is_file(known, source.file):
            return known
    extend_path(source)
    module = _imported(given, source)
    if sys.modules.get(module.__name__) is not module:
        raise InvalidInput(f"{given} is hidden by another module {module.__name__!r}: rename the file")
    return module


def extend_path(source: Source) -> None:
    """Let Python look where the module would find what it imports."""
    sys.path[:] = [*source.folders, *sys.path, *source.beside]


@contextlib.contextmanager
def _importing(source: Source) -> Iterator[None]:
    """Extend the path for a while, and send what a module prints on import to standard error."""
    before = list(sys.path)
    extend_path(source)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path[:] = before


def _split(name: str) -> tuple[str, str]:
    module_name, colon, function_name = name.rpartition(":")
    if not colon or not module_name or not function_name:
        raise InvalidInput(f"{name!r} does not name a function: write MODULE:FUNCTION or path/to/file.py:FUNCTION")
    return module_name, function_name


def _packages(file: Path) -> Iterator[Path]:
    """The packages that a file is in, the innermost first."""
    for folder in file.parents:
        if not (folder / "__init__.py").is_file():
            return
        yield folder


def _root(file: Path) -> Path:
    """The root of a repository's modules, else the current folder if the file is below it, else the file's folder."""
    for folder in file.parents:
        if any((folder / marker).exists() for marker in ROOT_MARKERS):
            return folder / "src" if file.is_relative_to(folder / "src") else folder
    here = Path.cwd()
    return here if file.is_relative_to(here) else file.parent


def _dotted(file: Path, top: Path) -> str:
    """The name that a file has as a module below a folder; empty if it has none."""
    parts = file.relative_to(top).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


def _imported(given: str, source: Source) -> ModuleType:
    with _importing(source):
        try:
            if source.file is None:
                return importlib.import_module(source.name)
            in_package = (source.file.parent / "__init__.py").is_file()
            if in_package or _is_found(source.name, source.file):
                module = importlib.import_module(source.name)
            else:
                return _on_its_own(source.file)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise InvalidInput(
                f"{given} cannot be imported ({one_line(error)}{_failed_import(error)}): import it in Python to see why"
            ) from None
    if not _is_file(module, source.file):
        found = getattr(module, "__file__", None) or "built in"
        raise InvalidInput(
            f"{given} is not what 'import {source.name}' finds, which is {found}: rename its package, or call "
            "check_sampler in a process that has not imported the other"
        )
    return module


def _is_found(name: str, file: Path) -> bool:
    """Whether Python finds the file by this name."""
    if "." not in name:  # beside the root there is nothing that a relative import could mean
        return False
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # a stranger's package may raise what it likes; the file may do without it
        return False
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve() == file


def _is_file(module: ModuleType, file: Path) -> bool:
    return Path(getattr(module, "__file__", None) or os.devnull).resolve() == file


def _on_its_own(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)  # where dataclasses and pickle look for it
    spec.loader.exec_module(module)
    return module


def _failed_import(error: BaseException) -> str:
    """Say which statement of a stranger's code failed, and in which file."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" at {_shown(error.filename)}:{error.lineno}"
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename != __file__ and not frame.f_code.co_filename.startswith("<frozen")
        if Path(frame.f_code.co_filename).parent != Path(importlib.__file__).parent
    ]
    if not places:
        return ""
    filename, line = places[-1]
    statement = " ".join(linecache.getline(filename, line).split())[:LONGEST_STATEMENT]
    return f" by '{statement}' at {_shown(filename)}:{line}" if statement else f" at {_shown(filename)}:{line}"


def _shown(filename: str) -> str:
    """The path from here if the file is below, else the whole path."""
    path = Path(filename)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
