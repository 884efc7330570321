"""The decorator of compiled loops."""

from __future__ import annotations

import math

import numba.core.caching
import pytest

from specproof.theory.compiled import compiled


@compiled()
def raising(x: float) -> float:
    return 1.0 / x


@compiled(error_model="numpy")
def silent(x: float) -> float:
    return 1.0 / x


def test_division_by_zero_is_what_the_error_model_says() -> None:
    assert silent(0.0) == math.inf
    with pytest.raises(ZeroDivisionError):
        raising(0.0)


def test_without_a_place_for_machine_code_it_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(x: float) -> float:
        return 2.0 * x

    monkeypatch.setattr(numba.core.caching.CacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator"):
        numba.njit(cache=True)(twice)
    assert compiled()(twice)(4.0) == 8.0
