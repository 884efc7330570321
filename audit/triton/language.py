"""The functions of ``triton.language`` that the audited kernels use."""

from __future__ import annotations

from typing import Any

import numpy as np

from audit.triton.values import Pointer, Value, value

int32, int64, uint32, uint64 = np.int32, np.int64, np.uint32, np.uint64
float32, float64 = np.float32, np.float64
static_range = range

PLACE: dict[str, tuple[int, ...]] = {"program": (0,), "grid": (1,)}
"""Which program of which grid runs."""


def constexpr(number: Any) -> Any:
    """A number that a compiler would know."""
    return number


def program_id(axis: int) -> Value:
    """The program's place on this axis of the grid."""
    return value(np.int32(PLACE["program"][axis]))


def num_programs(axis: int) -> int:
    """How many programs this axis has."""
    return PLACE["grid"][axis]


def load(pointer: Pointer, mask: Any = None, other: Any = 0) -> Value:
    """Read from memory."""
    return pointer.load(mask, other)


def store(pointer: Pointer, values: Any, mask: Any = None) -> None:
    """Write to memory."""
    pointer.store(values, mask)


def arange(start: int, stop: int) -> Value:
    """Whole numbers."""
    return value(np.arange(start, stop, dtype=np.int32))


def full(shape: Any, number: Any, dtype: Any) -> Value:
    """One number everywhere."""
    return value(np.full(tuple(shape), number, dtype))


def zeros(shape: Any, dtype: Any) -> Value:
    """Zeros."""
    return full(shape, 0, dtype)


def where(condition: Any, then: Any, otherwise: Any) -> Value:
    """Choose by element."""
    return value(np.where(condition, then, otherwise))


def maximum(one: Any, other: Any) -> Value:
    """The larger by element."""
    return value(np.maximum(one, other))


def minimum(one: Any, other: Any) -> Value:
    """The smaller by element."""
    return value(np.minimum(one, other))


def exp(values: Any) -> Value:
    """By element."""
    return value(np.exp(values))


def log(values: Any) -> Value:
    """By element."""
    return value(np.log(values))


def log1p(values: Any) -> Value:
    """By element; of ``libdevice``."""
    return value(np.log1p(values))


def sum(values: Any, axis: int = 0) -> Value:
    """Of all elements."""
    return value(np.sum(values, axis=axis, dtype=values.dtype))


def cumsum(values: Any, axis: int = 0) -> Value:
    """Of the elements up to each."""
    return value(np.cumsum(values, axis=axis, dtype=values.dtype))


def max(values: Any, axis: int = 0, return_indices: bool = False) -> Any:
    """The largest element, and the first place that has it."""
    largest = value(np.max(values, axis=axis))
    return (largest, argmax(values, axis)) if return_indices else largest


def argmax(values: Any, axis: int = 0) -> Value:
    """The first place of the largest element."""
    return value(np.argmax(values, axis=axis).astype(np.int32))


def rand(seed: Any, offset: Any) -> Value:
    """Uniforms in [0, 1) from Philox with ten rounds, as Triton draws them."""
    signed = np.asarray(randint(seed, offset)).view(np.int32)
    positive = np.where(signed < 0, -signed - 1, signed)
    return value(positive.astype(np.float32) * np.float32(4.6566127342e-10))


def randint(seed: Any, offset: Any) -> Value:
    """The numbers below 2^32 from which the uniforms of :func:`rand` are made."""
    return value(philox(np.uint64(np.int64(seed)), np.asarray(offset).astype(np.uint32)))


def philox(seed: Any, offset: Any) -> Any:
    """The first of the four words that Philox 4x32-10 makes of a counter (offset, 0, 0, 0) and a key."""
    low = np.uint64(0xFFFFFFFF)
    counter = [offset.astype(np.uint64), *(np.zeros_like(offset, np.uint64) for _ in range(3))]
    key = [seed & low, seed >> np.uint64(32)]
    for _ in range(10):
        even, odd = counter[0] * np.uint64(0xD2511F53), counter[2] * np.uint64(0xCD9E8D57)
        counter = [
            (odd >> np.uint64(32)) ^ counter[1] ^ key[0],
            odd & low,
            (even >> np.uint64(32)) ^ counter[3] ^ key[1],
            even & low,
        ]
        key = [(key[0] + np.uint64(0x9E3779B9)) & low, (key[1] + np.uint64(0xBB67AE85)) & low]
    return counter[0].astype(np.uint32)
