"""Claims, figures and verifiers of a person's own, in files beside this package."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from specproof.figures.figure_spec import FigureSpec
from specproof.simulations.claims.claim import Claim
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers import VERIFIERS

if TYPE_CHECKING:
    from specproof.conformance.subject.loading import Source

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Ids are names of files and folders as well."""


@dataclass(frozen=True)
class OwnCode:
    """What one file or module brings into a run.

    Attributes
    ----------
    name : str
        The file or module, as it was named.
    source : Source
        It was loaded from here.
    digest : str
        SHA-256 of its source.
    claims : tuple of Claim
        It states these claims.
    figures : tuple of FigureSpec
        It draws these figures.
    touches_all : bool
        Whether the results of other claims depend on it too: it is a plugin, or it registers a verifier.
    """

    name: str
    source: Source
    digest: str
    claims: tuple[Claim, ...] = ()
    figures: tuple[FigureSpec, ...] = ()
    touches_all: bool = False


def names_own_code(name: str) -> bool:
    """Whether a word on the command line names a file or a module's object, not a claim or figure of this package."""
    return name.endswith(".py") or ":" in name


def load_claims(name: str) -> OwnCode:
    """Load ``FILE.py``, ``FILE.py:CLAIM`` or ``MODULE:CLAIM``, with the figures that its claims bring.

    Raises
    ------
    InvalidInput
        If it cannot be imported, or what it names is no claim.
    """
    module_name, attribute = (name, "") if name.endswith(".py") else name.rsplit(":", 1)
    known = set(VERIFIERS)
    source, module = _load(module_name)
    claims = (_claim(module, module_name, attribute),) if attribute else tuple(_defined(module, Claim))
    if not claims:
        raise InvalidInput(f"{module_name} defines no claim: write CLAIM = Claim(...) at its top level")
    chosen = {claim.id for claim in claims}
    figures = tuple(figure for figure in _defined(module, FigureSpec) if figure.claim in chosen)
    return OwnCode(module_name, source, _digest(module), claims, figures, touches_all=set(VERIFIERS) != known)


def load_plugin(name: str) -> OwnCode:
    """Load a file or module for what it registers.

    Raises
    ------
    InvalidInput
        If it cannot be imported.
    """
    source, module = _load(name)
    return OwnCode(name, source, _digest(module), touches_all=True)


def worker_preparation(own: Sequence[OwnCode]) -> Callable[[], None]:
    """Return what has to be called in a worker so that it knows the same code as this process."""
    return partial(_load_all, tuple((code.name, code.source) for code in own))


def require_distinct(claims: Iterable[Claim], figures: Iterable[FigureSpec]) -> None:
    """Check that ids can be used, and that no two are the same.

    Raises
    ------
    InvalidInput
        Naming the id.
    """
    seen: set[str] = set()
    for kind, items in (("claim", claims), ("figure", figures)):
        for item in items:
            if not isinstance(item.id, str) or not ID.fullmatch(item.id):
                raise InvalidInput(f"{kind} id {item.id!r}: use letters, digits, dots, dashes and underscores")
            if item.id in seen:
                raise InvalidInput(f"{kind} id {item.id!r} is taken: choose another; 'specproof list' shows ours")
            seen.add(item.id)


def _load(name: str) -> tuple[Source, ModuleType]:
    from specproof.conformance.subject.loading import find_source, load_module  # with it comes the whole kit

    source = find_source(name)
    return source, load_module(name, source)


def _load_all(named: Sequence[tuple[str, Source]]) -> None:
    for name, source in named:
        from specproof.conformance.subject.loading import load_module

        load_module(name, source)


def _claim(module: ModuleType, module_name: str, attribute: str) -> Claim:
    try:
        found = getattr(module, attribute)
    except AttributeError:
        raise InvalidInput(f"{module_name} has no {attribute!r}: name a claim that is defined there") from None
    if not isinstance(found, Claim):
        raise InvalidInput(f"{attribute!r} in {module_name} is a {type(found).__name__}: name a Claim")
    return found


def _defined(module: ModuleType, kind: type[Any]) -> list[Any]:
    """The objects of a kind at the module's top level, each once; not those that it imports from this package."""
    found = [value for value in vars(module).values() if isinstance(value, kind) and not is_ours(value)]
    return [value for index, value in enumerate(found) if not any(value is other for other in found[:index])]


def is_ours(value: Claim | FigureSpec) -> bool:
    """Whether a claim or figure is of this package."""
    function = value.cells if isinstance(value, Claim) else value.draw
    return getattr(function, "__module__", "").startswith("specproof.")


def _digest(module: ModuleType) -> str:
    return hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest()
