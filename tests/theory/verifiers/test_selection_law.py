from __future__ import annotations

import numpy as np
import pytest

from specproof.theory.verifiers.selection_law import SelectionLaw


@pytest.fixture
def law() -> SelectionLaw:
    """Two rows: one that accepts 0.5 and resamples, one that accepts everything."""
    return SelectionLaw(
        accepted=np.array([[0.25, 0.25, 0.0], [0.5, 0.25, 0.25]]),
        residual=np.array([[0.0, 0.25, 0.75], [0.0, 0.0, 0.0]]),
        acceptance=np.array([0.5, 1.0]),
    )


def test_output_mixes_accepted_and_residual(law: SelectionLaw) -> None:
    assert law.output.tolist() == [[0.25, 0.375, 0.375], [0.5, 0.25, 0.25]]


def test_lossless_only_if_every_row_is(law: SelectionLaw) -> None:
    assert law.is_lossless(law.output)
    assert not law.is_lossless([[0.25, 0.375, 0.375], [0.25, 0.5, 0.25]])


@pytest.mark.parametrize(("shift", "expected"), [(0.9e-3, True), (1.1e-3, False)])
def test_the_tolerance_is_in_total_variation(law: SelectionLaw, shift: float, expected: bool) -> None:
    moved = law.output + np.array([shift, -shift, 0.0])
    assert law.is_lossless(moved, tolerance=1e-3) is expected
