"""Packages that load their public names when one is first asked for."""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False  # to type checkers it is True; every import here gives an interrupt time to be a traceback
if TYPE_CHECKING:
    from collections.abc import Callable


def exports(package: str, source: str) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a package whose public names a module of it imports.

    The module's ``__all__`` is the one list of these names: importing the package loads none of them, and asking for
    any loads the module. A name that was asked for stays in the package.

    Parameters
    ----------
    package : str
        The name of the package, for error messages.
    source : str
        The full name of the module that imports the public names and lists them in ``__all__``.

    Examples
    --------
    >>> get, names = exports("specproof.theory", "specproof.theory.public")
    >>> "zipf" in names()
    True
    >>> get("zipf")(2).tolist()
    [0.6666666666666666, 0.3333333333333333]
    """

    def get(name: str) -> object:
        private = name.startswith("_") and name != "__all__"
        public = None if private else import_module(source)
        if public is None or name not in {"__all__", *public.__all__}:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(public, name)
        vars(sys.modules[package])[name] = value  # found without this function from now on
        return value

    def names() -> list[str]:
        return sorted(import_module(source).__all__)

    return get, names
