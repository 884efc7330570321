"""Tests of a one-position sampler against its exact law, as rows of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from specproof.simulations.evidence import Evidence, Method, from_check
from specproof.simulations.samplers.selection import Selection
from specproof.simulations.statistics import check_frequency, check_law
from specproof.theory.distribution import Array
from specproof.theory.verifiers.selection_law import SelectionLaw

TESTS_PER_PAIR = 3
"""Tokens and acceptance of the compiled form, tokens of the array form."""

RESOLUTION = 0.02
"""A deviation of any probability by this much must be within reach, or a test says nothing."""


def selection_tests(
    selection: Selection, law: SelectionLaw, target: Array, level: float, **instance: Any
) -> list[Evidence]:
    """Test emitted tokens against the target, and the acceptance against the law's."""
    accepted = int(np.count_nonzero(selection.accepted >= 0))
    check = check_frequency(accepted, selection.tokens.size, float(law.acceptance), level)
    return [
        token_test("emitted tokens", selection, target, level, **instance),
        from_check("acceptance", check, level=level, resolution=RESOLUTION, **instance),
    ]


def token_test(quantity: str, selection: Selection, target: Array, level: float, **instance: Any) -> Evidence:
    """Test emitted tokens against the target."""
    return from_check(
        quantity, check_law(selection.tokens, target, level), level=level, resolution=RESOLUTION, **instance
    )


def control_tests(
    broken_controls: Mapping[str, Selection], target: Array, level: float, **instance: Any
) -> list[Evidence]:
    """Put broken controls through the test of the emitted tokens."""
    return [
        from_check(
            f"emitted tokens, {name}",
            check_law(broken_control.tokens, target, level),
            level=level,
            method=Method.CONTROL,
            **instance,
        )
        for name, broken_control in broken_controls.items()
    ]
