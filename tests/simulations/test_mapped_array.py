"""Arrays in files: mapped and not read, and refused by name where they are something else."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specproof.bound import Rows, acceptances
from specproof.simulations.mapped_array import let_go, mapped_array
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_an_array_is_mapped_in_its_own_dtype(tmp_path: Path, dtype: Any) -> None:
    values = np.arange(12, dtype=dtype).reshape(3, 4)
    np.save(tmp_path / "a.npy", values)
    found = mapped_array(tmp_path / "a.npy", "mine")
    assert isinstance(found.base, np.memmap)
    assert found.dtype == dtype
    assert np.array_equal(found, values)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read .*: give a .npy file"),
        (b"", "is not a whole .npy array of numbers .*: write it with numpy.save"),
        (b"0.5 0.5", "is not a whole .npy array"),
        (np.array([None, 1], dtype=object), "is not a whole .npy array"),
        (np.array(["a"]), "is not an array of real numbers .*<U1"),
        (np.array([1j]), "is not an array of real numbers .*complex128"),
        (np.zeros(2, "V2"), r"is not an array of real numbers .*\|V2"),
    ],
)
def test_what_is_no_array_of_numbers_is_named(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "a.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    with pytest.raises(InvalidInput, match=rf"^mine .*a\.npy {message}") as caught:
        mapped_array(path, "mine")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros(100))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InvalidInput, match=r"^mine .*a\.npy is not a whole \.npy array"):
        mapped_array(path, "mine")


def resident(path: Path) -> int:
    """Kilobytes of a mapped file that this process holds."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.endswith(str(path)))
    return next(int(line.split()[1]) for line in lines[at:] if line.startswith("Rss:"))


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(mmap, "MADV_DONTNEED"), reason="pages are counted by Linux alone"
)
def test_pages_that_were_read_are_let_go(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.ones(2**19))
    found = mapped_array(path, "mine")
    assert found.sum() == 2**19
    assert resident(path) >= 4096
    let_go(found[10:])
    assert resident(path) < 64
    assert found.sum() == 2**19
    let_go(np.ones(3))  # in memory: nothing to do


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="pages are counted by Linux alone")
def test_a_bound_lets_go_of_what_it_has_read(tmp_path: Path) -> None:
    rows = np.zeros((64, 2**15), np.float32)
    for name in ("draft", "target"):
        np.save(tmp_path / f"{name}.npy", rows)
    pair = [Rows.load(tmp_path / f"{name}.npy", name, SamplingSettings()) for name in ("draft", "target")]
    found = acceptances(*pair, 2)
    assert found.acceptance["optimal"] == pytest.approx(1.0, abs=1e-9)
    assert max(resident(tmp_path / f"{name}.npy") for name in ("draft", "target")) < 1024
