"""Acceptance of every verifier next to the optimum, for arrays in files."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from specproof.theory.distribution import Array, as_distribution, softmax
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers import VERIFIERS


def load(path: Path, name: str, *, logits: bool, temperature: float) -> Array:
    """Read one law or rows of laws from a .npy file.

    Raises
    ------
    InvalidInput
        If the file cannot be read or is not what it should be.
    """
    try:
        with path.open("rb") as file:
            array: NDArray[np.generic] = np.load(file, allow_pickle=False)
    except OSError as error:
        raise InvalidInput(f"{name} {path} cannot be read ({error.strerror or error}): give a .npy file") from None
    except MemoryError as error:
        raise InvalidInput(f"{name} {path} does not fit into memory ({error}): give fewer rows") from None
    except (ValueError, EOFError, BadZipFile) as error:
        raise InvalidInput(
            f"{name} {path} is not a .npy array of numbers ({error}): write it with numpy.save"
        ) from None
    if not isinstance(array, np.ndarray):
        raise InvalidInput(f"{name} {path} is an archive of several arrays: give one .npy array")
    if array.ndim > 1 and array.size == 0:
        raise InvalidInput(f"{name} {path} has shape {array.shape}: give at least one row")
    if logits:
        return softmax(array, temperature, name)
    try:
        return as_distribution(array, name)
    except InvalidInput as error:
        raise InvalidInput(f"{error}; if the file holds logits, pass --logits") from None


def acceptances(draft: Array, target: Array, num_drafts: int) -> dict[str, Array]:
    """Exact acceptance of each verifier of k i.i.d. drafts by its name, and the optimum, shape (...) each.

    They come in the order of their means over the rows, the verifier that accepts least first and the optimum last.

    Raises
    ------
    InvalidInput
        If the laws do not match or the number of drafts is not an integer >= 1.
    """
    found = {name: verifier.law(draft, target, num_drafts).acceptance for name, verifier in VERIFIERS.items()}
    found = dict(sorted(found.items(), key=lambda item: float(item[1].mean())))
    return found | {"optimal": optimal_acceptance(draft, target, num_drafts)}
