from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from specproof.theory.drafts import as_num_drafts, hit_probability, one_num_drafts


def test_numbers_of_drafts_keep_their_shape() -> None:
    counts = as_num_drafts(np.array([[1, 2], [3, 4]], np.uint8))
    assert counts.dtype == np.int64
    assert counts.tolist() == [[1, 2], [3, 4]]
    assert as_num_drafts(3).shape == ()
    assert one_num_drafts(np.int16(7)) == 7


@pytest.mark.parametrize("mass", [0.0, 5e-324, 1e-300, 1e-17, 0.1, 0.5, 1 - 2**-53, 1.0])
@pytest.mark.parametrize("count", [1, 2, 8, 100])
def test_hit_probability_keeps_its_digits(mass: float, count: int) -> None:
    """Relative to the value: a few units in the last place of each of three elementary functions."""
    exact = 1 - (1 - Fraction(mass)) ** count
    assert abs(Fraction(float(hit_probability(np.float64(mass), count))) - exact) <= exact * Fraction(2, 10**15)


def test_hit_probability_is_a_probability_for_a_mass_rounded_past_one() -> None:
    assert hit_probability(np.array([1.0 + 2**-52]), 3).tolist() == [1.0]
