"""Modules in the place of those that an engine's module imports and a check does not need."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class Anything:
    """A class or a function that takes everything and does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


class StandIn(ModuleType):
    """A module that has every name: those given, and for the rest a class of that name that takes everything."""

    def __init__(self, name: str, **names: Any) -> None:
        super().__init__(name)
        self.__dict__.update(names)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Anything,), {})


@contextmanager
def in_place(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """Put modules in the places of those of these names, while an engine's module is imported."""
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


@contextmanager
def releases_apart(package: str) -> Iterator[None]:
    """Have nothing of this package imported, and forget after what was: two releases can be used in one process."""

    def take_out() -> dict[str, ModuleType]:
        return {name: sys.modules.pop(name) for name in list(sys.modules) if f"{name}.".startswith(f"{package}.")}

    before = take_out()
    try:
        yield
    finally:
        take_out()
        sys.modules.update(before)
