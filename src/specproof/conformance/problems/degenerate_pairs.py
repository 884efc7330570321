"""Pairs of laws that break careless code: one set for the kit's degenerate problems and for property tests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from specproof.theory.distribution import Array

Pair = tuple[Array, Array]
"""A draft and a target over one vocabulary."""

DEGENERATE_LAWS: Mapping[str, Pair] = MappingProxyType(
    {
        "equal": (np.array([0.2, 0.3, 0.5]), np.array([0.2, 0.3, 0.5])),
        "equal up to rounding": (np.array([0.5, 0.5, 0.0]), np.array([np.nextafter(0.5, 0), 0.5, 0.0])),
        "disjoint": (np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.0, 0.0, 0.25, 0.75])),
        "one token": (np.array([1.0]), np.array([1.0])),
        "equal point masses": (np.array([0.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0])),
        "point masses": (np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])),
        "zeros on both sides": (np.array([0.0, 0.5, 0.25, 0.25, 0.0]), np.array([0.25, 0.0, 0.5, 0.25, 0.0])),
        "first and last impossible": (np.array([0.4, 0.2, 0.4]), np.array([0.0, 1.0, 0.0])),
        "ties": (np.array([0.25, 0.25, 0.25, 0.25]), np.array([0.4, 0.4, 0.1, 0.1])),
        "1e-300": (np.array([1e-300, 0.5, 0.5]), np.array([0.5, 0.5, 1e-300])),
        "denormal": (np.array([5e-324, 1e-310, 1.0]), np.array([0.5, 0.5, 5e-324])),
    }
)
"""The kit checks samplers on each of these pairs, by name."""

DEGENERATE: Mapping[str, Pair] = MappingProxyType(
    {
        **DEGENERATE_LAWS,
        "minus zero": (np.array([-0.0, 0.5, 0.5]), np.array([0.5, 0.5, -0.0])),
        "float32": (np.array([0.1, 0.2, 0.7], np.float32), np.array([0.3, 0.3, 0.4], np.float32)),
    }
)
"""To those pairs it adds ordinary laws in unusual representations, which a problem would not keep."""

for _pair in DEGENERATE.values():
    for _law in _pair:
        _law.setflags(write=False)
