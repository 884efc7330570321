"""Numbers about what cannot be seen."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.conformance.defects import reach
from specproof.conformance.evidence.detectable_bias import detectable_bias


def test_bfloat16_keeps_eight_bits_and_rounds_ties_to_even():
    rows = np.array([1.0, 1 + 2.0**-8, 1 + 3 * 2.0**-8, 0.1, 0.0])
    assert reach.in_bfloat(rows).tolist() == [1.0, 1.0, 1 + 2.0**-6, 0.10009765625, 0.0]


def test_a_probability_below_half_precision_underflows():
    assert reach.in_half(np.array([reach.UNDERFLOW]))[0] == 0
    assert reach.in_half(np.array([1.01 * reach.UNDERFLOW]))[0] > 0


def test_finer_numbers_have_less_bias():
    biases = [reach.rounding_bias(rounded)[0] for rounded in (reach.in_bfloat, reach.in_half, reach.in_single)]
    assert biases == sorted(biases, reverse=True)
    assert 0 < biases[-1] < 1e-6


def test_trials_grow_with_the_inverse_square_of_the_bias():
    level = reach.LEVEL / reach.TESTS
    trials = reach.trials_to_see(0.01, 9)
    assert detectable_bias(9, int(trials), level) == pytest.approx(0.01, rel=0.1)
    assert reach.trials_to_see(0.001, 9) == pytest.approx(100 * trials)


def test_every_row_says_why_and_names_a_thread():
    rows = list(reach.rows())
    assert all(len(cells) == 3 and all(cells) and "#" in cells[2] for cells in rows)
