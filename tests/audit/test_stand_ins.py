"""What is in the place of an engine's modules, and that two releases keep apart."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from audit.stand_ins import StandIn, in_place, releases_apart


def test_two_releases_of_one_package_keep_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    numbers = []
    for number in (1, 2):
        package = tmp_path / str(number) / "an_engine"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "version.py").write_text(f"number = {number}")
        with releases_apart("an_engine"), monkeypatch.context() as patched:
            patched.syspath_prepend(package.parent)
            numbers.append(importlib.import_module("an_engine.version").number)
        assert "an_engine" not in sys.modules
        assert "an_engine.version" not in sys.modules
    assert numbers == [1, 2]


def test_what_was_imported_before_is_put_back() -> None:
    engine, other = StandIn("an_engine.sampler"), StandIn("an_engineer")
    with in_place({engine.__name__: engine, other.__name__: other}):
        with releases_apart("an_engine"):
            assert engine.__name__ not in sys.modules
            assert sys.modules[other.__name__] is other
        assert sys.modules[engine.__name__] is engine
