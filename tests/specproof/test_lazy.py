"""Names that a package loads when they are first asked for: they stay in it, and no others do."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

import specproof
from specproof.lazy import exports
from specproof.theory import public


def test_a_name_that_was_asked_for_is_an_attribute_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("some_package")
    monkeypatch.setitem(sys.modules, "some_package", package)
    get, _ = exports("some_package", "specproof.theory.public")
    assert get("zipf") is public.zipf
    assert vars(package)["zipf"] is public.zipf
    with pytest.raises(AttributeError, match="module 'some_package' has no attribute 'annotations'"):
        get("annotations")
    assert "annotations" not in vars(package)


def test_the_package_has_its_names() -> None:
    assert specproof.zipf is public.zipf
    assert "zipf" in vars(specproof)
