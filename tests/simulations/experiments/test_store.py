"""Kept cells count only for what made them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from specproof import simulations, theory
from specproof.simulations.evidence import Method, at_least, within
from specproof.simulations.experiments.cell import Cell, Findings
from specproof.simulations.experiments.store import Store, source_fingerprint

CELL = Cell("paper.claim", "name", print)
FINDINGS = Findings(
    [
        within("π", exact=1.0, estimate=1.0 + 2**-52, tolerance=1e-12, tokens=3),
        at_least("bound", bound=0.1, estimate=5e-324, tolerance=1.0, method=Method.CONTROL),
    ],
    {"draws": [{"draw": 0.1, "prompt": "Älter"}], "empty": []},
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cells", lambda cell: cell.key(0, 1e-8, "code"))


def kept(store: Store) -> Path:
    (path,) = (path for path in store.folder.rglob("*") if path.is_file())
    return path


def test_a_kept_cell_comes_back_bit_for_bit(store: Store) -> None:
    assert store.load(CELL) is None
    store.save(CELL, FINDINGS)
    assert store.load(CELL) == FINDINGS
    assert kept(store).parent == store.folder / "paper.claim"


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:-1],
        lambda raw: b"\x80\xff" + raw,
        lambda raw: b"null",
        lambda raw: b"[]",
        lambda raw: raw.replace(b'"rows"', b'"wors"'),
        lambda raw: raw.replace(b'"quantity"', b'"quality"'),
        lambda raw: raw.replace(b'"negative control"', b'"positive control"'),
        lambda raw: raw.replace(b'"key": "', b'"key": "0'),
    ],
    ids=[
        "empty",
        "half",
        "last byte",
        "not UTF-8",
        "null",
        "list",
        "no rows",
        "other column",
        "no such method",
        "other key",
    ],
)
def test_a_damaged_cell_does_not_count_and_is_written_anew(store: Store, damage: Any) -> None:
    store.save(CELL, FINDINGS)
    raw = kept(store).read_bytes()
    assert damage(raw) != raw
    kept(store).write_bytes(damage(raw))
    assert store.load(CELL) is None
    store.save(CELL, FINDINGS)
    assert store.load(CELL) == FINDINGS


@pytest.mark.parametrize("key", [(1, 1e-8, "code"), (0, 1e-9, "code"), (0, 1e-8, "other code")], ids=str)
def test_a_cell_made_by_other_seed_level_or_code_does_not_count(store: Store, key: tuple[int, float, str]) -> None:
    store.save(CELL, FINDINGS)
    other = Store(store.folder, lambda cell: cell.key(*key))
    assert other.load(CELL) is None
    other.save(CELL, Findings())
    assert (store.load(CELL), other.load(CELL)) == (FINDINGS, Findings())


def test_a_cell_of_other_prompts_does_not_count(store: Store) -> None:
    def about(text: str) -> Cell:
        return Cell("real.claim", "walk-0", print, {"prompts": [{"text": text}]})

    store.save(about("one"), FINDINGS)
    assert store.load(about("two")) is None
    assert store.load(about("one")) == FINDINGS


def test_a_digest_that_two_cells_share_in_part_does_not_confuse_them(tmp_path: Path) -> None:
    """The file name holds only the start of the key; the rest is compared."""
    first, second = (Store(tmp_path, lambda _, end=end: "0" * 16 + end) for end in "ab")
    first.save(CELL, FINDINGS)
    assert second.load(CELL) is None
    assert json.loads(kept(first).read_text())["key"] == "0" * 16 + "a"


@pytest.mark.parametrize("package", [theory, simulations], ids=lambda package: str(package.__name__))
def test_the_fingerprint_is_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: Any) -> None:
    root = tmp_path / package.__name__
    (root / "sub").mkdir(parents=True)
    monkeypatch.setattr(package, "__path__", [str(root)])
    seen = [source_fingerprint()]
    for name, text in [("a.py", "1"), ("a.py", "2"), ("sub/b.py", "2"), ("sub/prompts.jsonl", "{}")]:
        (root / name).write_text(text)
        seen.append(source_fingerprint())
    (root / "sub" / "b.py").rename(root / "sub" / "c.py")
    seen.append(source_fingerprint())
    assert len(set(seen)) == len(seen)
    (root / "a.pyc").write_text("compiled")
    assert source_fingerprint() == seen[-1]
