"""Arrays in .npy files, of which only what is looked at is read."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from specproof.theory.arrays import as_real
from specproof.theory.errors import InvalidInput


def mapped_array(path: Path, name: str) -> NDArray[Any]:
    """Map the array of a .npy file into memory, without reading it.

    Parameters
    ----------
    path : Path
    name : str
        What the error message calls the argument.

    Raises
    ------
    InvalidInput
        If the file cannot be read, is cut short or something else, or it does not hold real numbers.
    """
    try:
        found = open_memmap(path, mode="r")
    except OSError as error:
        raise InvalidInput(f"{name} {path} cannot be read ({error.strerror or error}): give a .npy file") from None
    except (ValueError, EOFError, OverflowError) as error:
        raise InvalidInput(
            f"{name} {path} is not a whole .npy array of numbers ({error}): write it with numpy.save"
        ) from None
    return as_real(found, f"{name} {path}")


def let_go(array: NDArray[Any]) -> None:
    """Let the pages of a mapped array go that have been read; they are read anew where they are looked at again.

    Without this a pass over a file holds as much memory as the file has. Other arrays are left as they are.
    """
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
