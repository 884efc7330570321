"""Things that are registered once, by name: verifiers, their samplers, and how each is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Generic, TypeVar

from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput

Item = TypeVar("Item")


class Registry(Mapping[str, Item], Generic[Item]):
    """A view of what has been registered so far, by name in alphabetical order; it grows, and nothing in it changes.

    Parameters
    ----------
    kind : str
        What error messages call one of the items.

    Examples
    --------
    >>> colours = Registry("colour")
    >>> colours.add("black", "#000000")
    >>> colours.add("black", "#000000")  # once more, as where a module is loaded again
    >>> dict(colours)
    {'black': '#000000'}
    >>> colours.add("black", "#FFFFFF")
    Traceback (most recent call last):
    ...
    specproof.theory.errors.InvalidInput: name is 'black': another colour is registered by it, so take another name
    >>> colours.named("red")
    Traceback (most recent call last):
    ...
    specproof.theory.errors.InvalidInput: colour is 'red': it must be one of black
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._items: dict[str, Item] = {}

    def __getitem__(self, name: str) -> Item:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"Registry({self._kind}: {', '.join(self)})"

    def add(self, name: str, item: Item) -> None:
        """Register an item; once more with an equal one does nothing.

        Raises
        ------
        InvalidInput
            If the name is not a text or is empty, or something else is registered by it.
        """
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"name is {shown(name)}: a {self._kind} is registered by a text that is not empty")
        if self._items.setdefault(name, item) != item:
            raise InvalidInput(f"name is {shown(name)}: another {self._kind} is registered by it, so take another name")

    def named(self, name: object) -> Item:
        """The item of this name.

        Raises
        ------
        InvalidInput
            If there is none.
        """
        if not isinstance(name, str) or name not in self._items:
            raise InvalidInput(f"{self._kind} is {shown(name)}: it must be one of {', '.join(self)}")
        return self._items[name]


def load_rooms(package: str, path: list[str]) -> None:
    """Import every module and package that lies in a package, so that all that they register is there.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.
    path : list of str
        Its ``__path__``.
    """
    for room in iter_modules(path, f"{package}."):
        import_module(room.name)
