"""Long rows of intervals: in their order also where starts are equal."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.theory.verifiers.priority import Intervals

PAIRS, TINY, NUM_DRAFTS = 4_096, 1e-20, 3


@pytest.mark.parametrize("tiny_first", [True, False])
def test_of_intervals_with_one_start_the_shorter_lies_below(tiny_first: bool) -> None:
    """An interval of length 1e-20 at s wins with probability 3e-20 s^2."""
    starts, tokens = np.repeat(np.arange(PAIRS) / PAIRS, 2), np.arange(2 * PAIRS)
    tiny = tokens % 2 == (0 if tiny_first else 1)
    lengths = np.where(tiny, TINY, 1.0 / PAIRS)
    law = Intervals(starts, lengths, tokens, np.array([0, 2 * PAIRS])).winner_law(2 * PAIRS, NUM_DRAFTS)[0]
    above_the_first = tiny & (starts > 0.0)
    expected = NUM_DRAFTS * TINY * starts[above_the_first] ** (NUM_DRAFTS - 1)
    np.testing.assert_allclose(law[above_the_first], expected, rtol=1e-9)
