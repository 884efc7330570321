"""Tensors and pointers inside a kernel."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch


class Value(np.ndarray):
    """An array of a kernel; operations do not write into it, as kernels hand their values to each other."""

    def to(self, dtype: Any) -> Value:
        """Convert the elements."""
        return value(self.astype(dtype))

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array.view(Value)

    def __iadd__(self, other: Any) -> Any:  # type: ignore[misc]
        return self + other

    def __imul__(self, other: Any) -> Any:  # type: ignore[misc]
        return self * other

    def __ixor__(self, other: Any) -> Any:  # type: ignore[misc]
        return self ^ other


def value(array: Any) -> Value:
    """Make a value of an array or a number."""
    return np.asarray(array).view(Value)


class Pointer:
    """Places in the memory of one tensor: one place, or an array of them."""

    __slots__ = ("memory", "places")

    def __init__(self, memory: Any, places: Any) -> None:
        self.memory = memory
        self.places = places

    @property
    def dtype(self) -> Any:
        """Its type, which knows that of the elements."""
        return SimpleNamespace(element_ty=self.memory.dtype)

    def __add__(self, offset: Any) -> Pointer:
        return Pointer(self.memory, self.places + offset)

    def __sub__(self, offset: Any) -> Pointer:
        return Pointer(self.memory, self.places - offset)

    def load(self, mask: Any = None, other: Any = 0) -> Value:
        """Read; what the mask leaves out is ``other``."""
        places = np.asarray(self.places)
        if mask is None or np.ndim(mask) == places.ndim == 0:
            return value(self.memory[self._inside(places)] if mask is None or mask else self.memory.dtype.type(other))
        kept = np.logical_and(mask, np.ones(places.shape, dtype=bool))
        read = np.full(kept.shape, other, dtype=self.memory.dtype)
        read[kept] = self.memory[self._inside(np.broadcast_to(places, kept.shape)[kept])]
        return read.view(Value)

    def store(self, values: Any, mask: Any = None) -> None:
        """Write; nothing where the mask leaves out."""
        if mask is None:
            self.memory[self._inside(np.asarray(self.places))] = values
            return
        places, values, kept = np.broadcast_arrays(self.places, values, mask)
        self.memory[self._inside(places[kept])] = values[kept]

    def _inside(self, places: Any) -> Any:
        size = self.memory.size
        if (
            (not 0 <= places < size)
            if places.ndim == 0
            else places.size and not 0 <= places.min() <= places.max() < size
        ):
            raise IndexError(f"a kernel reads or writes outside the {size} elements of a tensor")
        return places


def argument(given: Any) -> Any:
    """What a kernel sees of an argument: a tensor is a pointer to its first element."""
    if not isinstance(given, torch.Tensor):
        return given
    size = given.untyped_storage().nbytes() // given.element_size() - given.storage_offset()
    return Pointer(torch.as_strided(given, (size,), (1,)).detach().numpy(), 0)
