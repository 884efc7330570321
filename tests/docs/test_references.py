"""References of docstrings lead to public names, and what cannot be found is left to Sphinx, which warns of it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sphinx")


@pytest.fixture
def references() -> Iterator[Any]:
    folder = str(Path(__file__).parents[2] / "docs" / "extensions")
    sys.path.insert(0, folder)
    yield importlib.import_module("references")
    sys.path.remove(folder)


@pytest.mark.parametrize(
    ("target", "module", "owner"),
    [
        ("specproof.theory.transport.certify", None, None),
        ("kseq", "specproof.theory", None),
        ("Report.detectable_bias", "specproof.conformance", "Verdict"),
        ("hardest", "specproof.conformance", "Report"),
        ("specproof.theory.trees.drawn_trees.DRAWS", None, None),
    ],
)
def test_what_there_is_is_found(references: Any, target: str, module: str | None, owner: str | None) -> None:
    assert references.find(target, module, owner) is not references.MISSING


@pytest.mark.parametrize("target", ["specproof.theory.nothing", "nothing", ".certify", "nowhere.certify", "kseq.law"])
def test_what_there_is_not_is_not_found(references: Any, target: str) -> None:
    assert references.find(target, "specproof.theory", None) is references.MISSING


@pytest.mark.parametrize(
    ("target", "public"),
    [
        ("specproof.theory.transport.certify", "specproof.theory.certify"),
        ("specproof.simulations.traces.planning.Plan.curves", "specproof.traces.Plan.curves"),
        ("specproof.theory.sum_tolerance.sum_tolerance", None),
    ],
)
def test_a_name_is_known_by_its_public_name(references: Any, target: str, public: str | None) -> None:
    names = {
        full: getattr(importlib.import_module(full.rpartition(".")[0]), full.rpartition(".")[2])
        for full in ("specproof.theory.certify", "specproof.traces.Plan")
    }
    assert references.public_name(target, None, None, names) == public
